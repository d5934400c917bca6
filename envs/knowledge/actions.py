"""Everyday actions: when in a procedure they come, what they are done to and with what, and their words. Data only.

One row an action: name | phase | objects | tools | words in English | German | French | Spanish.

- phase: 0 find out and get, 1 make safe or ready, 2 clean, open or cut, 3 combine or put in place, 4 the main act,
  5 wait or drain, 6 check, 7 finish and use; "-" for actions that may come at any time.
- objects, tools: categories or names of `things.py`, any of which fits; "-": nothing can be said.
- words as in `things.py`; `a+b` means both words, in this order, in one clause.
"""

ACTIONS = """
choose | 0 | - | - | choose* select pick decide* | wählen aussuchen auswählen entscheid* | choisir choisis* décider | elegir elig* escog* decid*
buy | 0 | - | money card | buy bought | kaufen besorgen gekauft | acheter achet* | comprar compr*
collect | 0 | - | - | gather* collect* fetch* find look-for get | sammeln zusammenstell* holen bereitlegen suchen finden | rassembler réunir chercher trouver | reunir busc* encontrar preparar
plan | 0 | - | - | plan planning research compare* | planen vergleich* überlegen informieren | planifier comparer réfléchir prévoir | planific* compar* pens*
book | 0 | - | - | reserve* book-a | buchen reservier* | réserv* | reserv*
measure | 0 | - | utensil tool device | measure* weigh* mark marks | messen abmessen markier* wiegen abwiegen anzeichnen | mesur* pes* marquer doser | medir mid* pesar marcar
read | 0 | document file | - | read reads | lesen durchlesen gelesen | lire lis* | leer le*
preheat | 1 | appliance cookware liquid | - | preheat* heat-up | vorheizen vorgeheizt | préchauff* | precalent*
wash_hands | 1 | body | soap water | wash+hands | hände+waschen | lav*+mains | lav*+manos
unplug | 1 | appliance device fuse | - | unplug* switch+off turn+off shut+off | ausschalten abschalten abstellen abdrehen ausstecken zudrehen ziehen abgestellt | éteindre débranch* couper+courant couper+eau fermer+robinet | apag* desenchuf* desconect* cort*+luz cort*+corriente cerrar+grifo
warm_up | 1 | body engine | - | warm+up loosen | aufwärmen lockern | échauff* | calentar+músculos calentamiento
soak | 1 | - | - | soak* moisten* dampen* wet | einweichen anfeuchten befeucht* nassmachen | tremper humidif* mouill* | remoj* humedec* moj*
call | 1 | person phone | phone | call phone ring | anrufen rufen | appel* | llam*
calm | 1 | person animal | - | calm* reassure* | beruhigen | calmer rassur* | calm* tranquiliz*
stop_car | 1 | vehicle | - | park+safe stop pull+over | anhalten abstellen+auto parken | arrêter garer stationner | detener parar estacionar aparcar
cover_floor | 1 | floor furniture wall | - | cover* mask mask-off protect* | abdecken abkleben schützen | couvrir protég* recouvrir | cubrir proteg*
sit | 1 | person patient | - | sit kneel lie | setzen hinsetzen hinlegen legen | asseoir allonger assey* | sent* tumb* acost*
open | 2 | - | - | open opens unlock* | öffnen aufmachen aufschließen | ouvrir ouvr* | abrir abr*
remove | 2 | - | - | remove* take+off take+out pull+out unscrew* | entfernen herausnehmen abnehmen lösen ausbauen abschrauben | retirer enlev* ôter dévisser démonter | retir* quit* sacar sac* desmont* desatornill*
wash | 2 | food textile clothing body dish cookware vehicle animal furniture | textile chemical water | wash washes rinse+vegetables scrub* clean cleans | waschen putzen reinigen säubern schrubben spülen | laver lav* nettoy* frott* | lavar lav* limpi* freg*
peel | 2 | food | blade | peel peels skin-the | schälen geschält | éplucher peler épluch* | pelar pel*
cut | 2 | food plant material textile hair document | blade | cut chop* slice* trim* mow mows prune* | schneiden hacken zuschneiden kürzen mähen sägen zurückschneiden | couper coup* hacher tailler tondre scier émincer | cort* pic* trocear pod* serrar
crack | 2 | egg glass | - | crack cracks break+egg | aufschlagen | casser cass* | romper cascar
sweep | 2 | floor dirt leaf room | brush appliance | sweep* vacuum* hoover+ dust+ | fegen kehren saugen staubsaugen abstauben harken | balay* dépoussiér* passer+aspirateur ratisser | barr* aspirar desempolvar rastrill*
dig | 2 | soil garden hole | spade tool | dig digs | graben ausheben umgraben | creuser bêcher | cavar excavar
sand | 2 | wood wall material furniture | sandpaper tool | sand+wood sand+surface sand+wall sand | schleifen abschleifen anschleifen | poncer ponc* | lijar lij*
log_in | 2 | file device | password | log+in sign+in | anmelden einloggen | connecter | iniciar+sesión
lift | 2 | vehicle big furniture | jack tool | jack+up lift lifts raise* | anheben hochheben aufbocken | soulever lever | levantar elevar
add | 3 | food drink liquid powder chemical | utensil | add adds pour* stir* mix* combine* | hinzufügen hinzugeben zugeben geben gießen einrühren rühren umrühren mischen verrühren dazugeben einfüllen | ajout* verser vers* mélang* remu* | añad* agreg* echar vert* mezcl* remov* incorporar
beat | 3 | food liquid | whisk fork utensil | beat beats whisk-the whip | verquirlen schlagen | battre bats fouetter | batir bat*
knead | 3 | dough | hand body | knead* | kneten durchkneten | pétrir | amasar amas*
spread | 3 | food chemical paint medicine | utensil knife brush hand | spread* apply applies rub+ lather* | auftragen verteilen einreiben bestreichen streichen+butter einschäumen | étaler appliqu* étend* tartin* savonn* | extender aplic* unt* enjabon* repart*
insert | 3 | - | - | insert* put place places load loads set | einsetzen einlegen einstecken legen stellen stecken einräumen hineinlegen | insérer mettre mett* placer plac* déposer poser introduire | insert* pon* poner met* coloc* introduc*
fill | 3 | container sink bathtub hole vehicle tree plant | - | fill fills refill* | füllen auffüllen befüllen | remplir rempl* | llen* rellen*
season | 3 | food | powder utensil | season* salt+ | würzen salzen | assaisonn* saler | sazon* condiment* salar aliñ*
plug | 3 | device appliance | cable | connect* plug+in | anschließen verbinden einstecken | brancher raccorder relier | conect* enchuf*
drill_hole | 3 | wall hole wood material | drill tool | drill+hole drill+holes drill-a | bohren | percer perc* | taladr* perfor*
plant_act | 3 | plant food | spade hand tool | plant+ sow sows | pflanzen einpflanzen säen setzen+pflanze | planter semer sèm* | plantar sembrar plant+ siembr*
pack | 3 | clothing document device food container textile | - | pack packs | packen einpacken | emballer ranger+valise | empac* hacer+maleta guardar+maleta
type | 3 | file letter document email password device | keyboard pen hand | type types write writes enter fill+out fill+in | eingeben schreiben tippen ausfüllen | saisir écrire taper remplir+formulaire | escrib* introducir+contraseña rellenar tecl*
glue_act | 3 | material paper part furniture | glue tape chemical | stick glue+ attach* | kleben aufkleben ankleben befestigen anbringen | coller fixer attach* | pegar peg* fij* sujet*
screw_act | 3 | screw part furniture metal | screwdriver wrench tool | screw+in tighten* fasten* screw+ | festschrauben anziehen eindrehen schrauben festziehen anlegen+gurt | visser serrer | atornill* apret* abroch*
hit | 3 | nail metal | hammer tool | hammer+ drive+nail | einschlagen hämmern | enfoncer clouer | clavar clav*
boil | 4 | food liquid drink water | cookware utensil | boil* simmer* cook cooks cooked | kochen köcheln aufkochen garen gekocht | bouillir cuire cuis* mijot* | herv* hierv* cocer coc* cuec* cocin*
fry | 4 | food | cookware utensil grease oil | fry fries fried saut* brown | braten anbraten rösten dünsten | frire poêl* rissol* revenir dorer griller | freír fríe* sofr* dorar asar
bake | 4 | food | cookware appliance | bake* roast* | backen gebacken überbacken | enfourner cuire+four rôtir | horne*
melt | 4 | food ice candle metal | cookware appliance | melt* | schmelzen zerlassen | fondre | derret* fund*
brew | 4 | drink | - | brew* steep* infuse* | aufbrühen ziehen+lassen ziehenlassen | infuser | infusion* repos*+té
brush_teeth | 4 | tooth hair animal | brush | brush+ comb+ | zähne+putzen bürsten kämmen | bross* peign* | cepill* pein*
shave | 4 | hair face body | razor blade | shave* | rasieren | raser | afeit*
iron_act | 4 | textile clothing | iron | iron+shirt iron+collar iron+sleeves iron+ press+ | bügeln | repasser repass* | planchar planch*
sew | 4 | textile clothing fastener | needle thread | sew sews stitch* | nähen annähen | coudre cous* | coser cos*
paint_act | 4 | wall wood furniture door room material | brush roller | paint+wall paint+ | streichen lackieren malen | peindre | pintar pint*
water_act | 4 | plant soil garden | can hose water | water+plant water+ | gießen+pflanze gießen wässern | arroser arros* | regar rieg*
drive | 4 | vehicle | - | drive drives driving steer reverse* | fahren lenken losfahren | conduire rouler conduis* reculer démarrer | conduc* manej* arrancar
ride | 4 | bicycle animal vehicle | - | ride rides pedal* | reiten radeln | pédal* monter | pedal* montar
fly | 4 | plane bird | - | board boards fly flies | einsteigen fliegen | embarqu* voler monter+bord | embarc* volar subir
walk | 4 | animal person | - | walk walks go | gehen spazieren laufen | marcher promener | camin* pase* ir
run | 4 | - | - | run runs jog jogs sprint | rennen joggen | courir cour* | correr corr* trot*
swim | 4 | - | - | swim* float | schwimmen | nager nag* flotter | nadar nad* flotar
stretch | 4 | body | - | stretch* | dehnen strecken | étirer étir* | estirar estir*
throw | 4 | toy | hand | throw* kick hit+ball serve+ball | werfen aufschlag | lancer servir+balle | lanzar lanz* sacar+pelota
exercise | 4 | - | - | exercise* train+ lower bend push | trainieren üben beugen drücken | entraîner plier fléchir pousser | entren* dobl* flexion* empuj*
install | 4 | file device | - | install* download* | installieren herunterladen | install* télécharg* | instal* descarg*
click | 4 | file device | - | click clicks press+ tap+ | klicken anklicken drücken+taste | cliqu* appuy* | clic puls* presion*
print | 4 | document file paper | printer | print prints | drucken ausdrucken | imprimer imprim* | imprim*
pay | 4 | bill money ticket | money card phone | pay pays transfer* deposit* | zahlen bezahlen überweisen einzahlen | payer pay* verser+argent virer | pagar pag* transfer* ingresar
withdraw | 4 | money | card | withdraw* | abheben | retirer+argent | sacar+dinero retirar+dinero
feed | 4 | animal person | food petfood | feed feeds | füttern | nourrir nourr* | aliment* dar+comer
press | 4 | wound body nose | plaster textile hand | pinch* press press-on | zuhalten zudrücken pressen | pincer comprimer presser | apretar+nariz presion* comprim*
cool | 4 | wound food liquid ankle engine | water ice | cool cools | kühlen abkühlen | refroidir rafraîch* | enfri* refriger*
bandage_act | 4 | wound body | plaster bandage | bandage+ dress+ wrap* | verbinden+wunde umwickeln | bander panser envelopp* | vendar vend* envolv*
disinfect_act | 3 | wound furniture floor | disinfectant chemical | disinfect+ | desinfizieren | désinfecter | desinfect*
change | 4 | part lamp device wheel textile | - | replace* change* swap | wechseln austauschen ersetzen | changer remplac* | cambi* sustitu* reemplaz*
patch | 4 | wheel part textile | glue tape | patch* | flicken | rustin* réparer | parche* parchear
inflate | 7 | wheel toy | pump | inflate* pump+up | aufpumpen aufblasen | gonfler | infl*
wait | 5 | - | - | wait waits leave let rest | warten ruhen stehen lassen | attendre attend* laisser laiss* reposer | esper* dej* repos*
rinse | 5 | body dish textile food hair | water | rinse* | ausspülen abspülen spülen+wasser abwaschen | rinc* | enjuag* aclar*
drain_act | 5 | food liquid water | sieve | drain drains strain* | abgießen abtropfen abseihen ablassen | égoutter vider | escurr* colar vaci*
check | 6 | - | - | check checks test tests verify | prüfen kontrollieren überprüfen testen | vérifi* contrôl* tester | comprob* verific* revis*
dry | 7 | textile body dish hair vehicle animal furniture | textile appliance | dry dries wipe+dry | trocknen abtrocknen trockenreiben | sécher essuy* | sec*
fold | 7 | textile paper clothing | - | fold folds hang+up hang hangs | falten aufhängen zusammenlegen | plier+linge suspendre pendre accrocher | dobl*+ropa colg* tender
serve | 7 | food drink | plate dish utensil | serve serves eat eats drink drinks enjoy* | servieren essen trinken genießen anrichten | servir serv* manger boire déguster | serv* sirv* com* beb* disfrut*
turn_on | 7 | appliance device fuse tap | - | turn+on switch+on | einschalten anschalten anstellen | allumer rallum* rétabl* remettre+courant | encend* conectar+luz volver+luz restablec*
close | 7 | - | - | close closes shut shuts lock | schließen zumachen verschließen abschließen | fermer ferm* | cerrar cierr*
put_away | 7 | - | - | put+away put+back tidy | wegräumen aufräumen verstauen | ranger rang* | guard* recog*
save | 7 | file money | - | save saves send sends submit | speichern abschicken senden absenden sparen | enregistr* envoyer envoi* épargner | guardar+archivo envi* ahorr*
restart | 7 | device file | - | restart* reboot | neustarten neu+starten | redémarr* | reinici*
reward | 7 | animal person | petfood | reward* praise | belohnen loben | récompens* féliciter | premi* recompens*
leave_place | 7 | - | - | leave+ get+off depart* | aussteigen verlassen abreisen | descendre quitter sortir+ | bajar salir abandonar
sleep | - | - | - | sleep* | schlafen | dormir dor* | dorm* duerm*
speak | - | - | - | speak* talk* say says | sprechen sagen | parler dire | habl* dec*
think_act | - | - | - | think* know* | denken wissen | penser savoir | saber pensar
repeat | - | - | - | repeat* | wiederholen | répét* | repet* repit*
"""
