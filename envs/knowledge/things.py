"""Everyday things: where they belong, what they are, and their words. Data only.

One row a thing: name | fields it belongs to | what it is | words in English | German | French | Spanish. In a word, a
final `*` stands for up to four more letters (endings), a leading `*` for any beginning (German compounds). Accents do
not matter. `any` as a field: at home everywhere.
"""

THINGS = """
egg | kitchen | food | egg eggs | ei eier *eier | oeuf* | huevo*
water | any | liquid drink | water | wasser *wasser | eau eaux | agua*
milk | kitchen | liquid drink | milk | milch | lait | leche
coffee | kitchen office | liquid drink powder | coffee* | kaffee* | cafe cafes | cafe cafes
tea | kitchen health | liquid drink | tea teas tea-leaves | tee *tee tees | the thes | te tes
juice | kitchen | liquid drink | juice* | saft säfte *saft | jus | zumo* jugo*
oil | kitchen workshop traffic | liquid | oil* | öl *öl | huile* | aceite*
butter | kitchen | food | butter | butter | beurre | mantequilla
bread | kitchen | food | bread* toast loaf loaves | brot* *brot | pain pains | pan panes
dough | kitchen | food | dough* batter | teig* *teig | pâte pâtes | masa*
flour | kitchen | food powder | flour | mehl | farine | harina
sugar | kitchen | food powder | sugar | zucker | sucre | azúcar
salt | kitchen | food powder | salt | salz | sel | sal
yeast | kitchen | food powder | yeast | hefe | levure | levadura
rice | kitchen | food | rice | reis | riz | arroz
pasta | kitchen | food | pasta spaghetti noodle* | nudel* spaghetti pasta | spaghetti* | pasta espagueti* fideo*
potato | kitchen garden | food plant | potato* | kartoffel* | pomme-de-terre patate* | patata* papas
onion | kitchen garden | food plant | onion* | zwiebel* | oignon* | cebolla*
tomato | kitchen garden | food plant | tomato* | tomate* | tomate* | tomate*
carrot | kitchen garden | food plant | carrot* | karotte* möhre* | carotte* | zanahoria*
apple | kitchen garden | food plant | apple* | apfel äpfel* *äpfel | pomme pommes | manzana*
lemon | kitchen home | food | lemon* | zitrone* | citron citrons | limón limones
salad | kitchen | food plant | salad* lettuce* | salat* | salade* laitue* | ensalada* lechuga*
vegetable | kitchen garden | food plant | vegetable* | gemüse* | légume* | verdura*
fruit | kitchen garden | food plant | fruit* | obst frucht früchte | fruit fruits | fruta*
meat | kitchen | food | meat* beef pork steak* | fleisch* *fleisch steak* | viande* steak* | carne* filete*
chicken | kitchen | food animal | chicken* | hähnchen* huhn hühner | poulet* | pollo*
fish | kitchen nature | food animal | fish fishes | fisch fische* | poisson* | pescado* pez peces
cheese | kitchen | food | cheese* | käse* | fromage* | queso*
soup | kitchen | food liquid | soup* broth | suppe* brühe | soupe* bouillon | sopa* caldo
sauce | kitchen | food liquid | sauce* | sauce* soße* | sauce* | salsa*
cake | kitchen | food | cake* | kuchen* torte* | gâteau* | pastel* tarta* bizcocho*
pizza | kitchen | food | pizza* | pizza pizzen | pizza* | pizza*
pancake | kitchen | food | pancake* | pfannkuchen* | crêpe* | tortita*
chocolate | kitchen | food | chocolate* | schokolade* | chocolat* | chocolate*
ice | kitchen health | food cold | ice ice-cube* | eis eiswürfel* | glace glaçon* | hielo cubito*
meal | kitchen | food | meal* dinner lunch breakfast dish dishes food | essen mahlzeit* frühstück abendessen mittagessen gericht* | repas plat plats dîner déjeuner nourriture | comida* cena almuerzo desayuno plato platos
lunch | kitchen travel | food | sandwich* snack* | imbiss brötchen | sandwich* casse-croûte | bocadillo* merienda
pot | kitchen | cookware container | pot pots saucepan* | topf *topf töpfe* | casserole* marmite* | olla* cazuela* cazo
pan | kitchen | cookware | pan pans frying-pan* | pfanne* | poêle poêles | sartén sartenes
bowl | kitchen | dish container | bowl* | schüssel* | bol bols saladier* | cuenco* tazón bol
cup | kitchen office | dish container | cup cups mug* | tasse* becher | tasse* | taza*
glass | kitchen home | dish container | glass glasses | glas gläser* | verre verres | vaso*
plate | kitchen | dish | plate plates | teller* | assiette* | fuente*
knife | kitchen | blade utensil metal | knife knives | messer *messer | couteau* | cuchillo*
fork | kitchen | utensil metal | fork forks | gabel* | fourchette* | tenedor*
spoon | kitchen | utensil metal | spoon* teaspoon* tablespoon* | löffel* *löffel | cuillère* | cuchara* cucharita*
whisk | kitchen | utensil | whisk* | schneebesen | fouet* | batidor*
sieve | kitchen | utensil | sieve* colander* strainer* | sieb *sieb | passoire* | colador* escurridor
peeler | kitchen | blade utensil | peeler* | schäler* sparschäler | éplucheur économe | pelador*
lid | kitchen | cookware | lid lids | deckel* | couvercle* | tapa tapas
oven | kitchen | appliance hot | oven ovens | ofen backofen *ofen | four fours | horno*
stove | kitchen | appliance hot | stove* hob burner* cooker* | herd herde* herdplatte* | cuisinière* plaque plaques feu | fogón fuego fogones
microwave | kitchen | appliance | microwave* | mikrowelle* | micro-onde* micro-ondes | microondas
fridge | kitchen | appliance cold | fridge* refrigerator* | kühlschrank* | réfrigérateur* frigo* | nevera* frigorífico*
freezer | kitchen | appliance cold | freezer* | gefrierfach tiefkühl* gefrier* | congélateur* | congelador*
kettle | kitchen | appliance container | kettle* | wasserkocher* | bouilloire* | hervidor*
toaster | kitchen | appliance | toaster* | toaster* | grille-pain | tostadora*
dishwasher | kitchen home | appliance | dishwasher* | spülmaschine* geschirrspüler* | lave-vaisselle | lavavajillas
sink | kitchen home bath | place | sink sinks basin* | spüle waschbecken | évier* lavabo* | fregadero* lavabo*
filter | kitchen | utensil | filter* | filter* | filtre* | filtro*
tray | kitchen | cookware | tray* tin baking-tin | blech *blech backform kuchenform form | moule moules | molde* bandeja*
kitchen | kitchen home | place | kitchen* | küche küchen | cuisine cuisines | cocina cocinas
soap | bath home | chemical | soap* | seife* | savon* | jabón jabones
shampoo | bath pets | chemical | shampoo* | shampoo* | shampooing* shampoing* | champú*
towel | bath sport home pets | textile | towel* | handtuch* handtücher* | serviette* | toalla*
toothbrush | bath | brush utensil | toothbrush* | zahnbürste* | brosse-à-dents | cepillo-de-dientes
toothpaste | bath | chemical | toothpaste* | zahnpasta* zahncreme | dentifrice* | dentífrico* pasta-de-dientes
comb | bath pets | brush | comb combs hairbrush* | kamm kämme* haarbürste* | peigne* | peine*
razor | bath | blade | razor* | rasierer* | rasoir* | maquinilla* navaja*
tooth | bath health | body | tooth teeth | zahn zähne* | dent dents | diente* muela*
hair | bath | body | hair hairs | haar haare* | cheveu* poil poils | pelo* cabello*
hand | any | body | hand hands | hand hände* | main mains | mano manos
face | bath | body | face faces skin | gesicht* haut | visage* peau | cara caras piel
shower | bath | place | shower* | dusche* | douche* | ducha*
bathtub | bath | place | bathtub* bath | badewanne* bad | baignoire* bain | bañera* baño
washing_machine | bath home | appliance | washing-machine* washer | waschmaschine* | lave-linge | lavadora*
detergent | bath home | chemical | detergent* | waschmittel* spülmittel | lessive* détergent* | detergente*
laundry | bath home | textile clothing | laundry | wäsche | linge | ropa colada
shirt | bath home travel | textile clothing | shirt* blouse* | hemd *hemd hemden | chemise* | camisa*
clothes | bath home travel sport | textile clothing | clothes clothing garment* trousers sweater* | kleidung kleider* hose hosen pullover* | vêtement* habit* pantalon* pull | vestido* pantalón pantalones jersey
shoe | bath sport home | clothing | shoe* boot boots | schuh* *schuhe stiefel* | chaussure* botte* | zapato* zapatilla* bota botas
iron | bath home | appliance metal hot | steam-iron iron | bügeleisen | fer fer-à-repasser | plancha*
hairdryer | bath | appliance | hairdryer* hair-dryer* | föhn haartrockner | sèche-cheveux | secador*
tie | bath | clothing textile | tie ties | krawatte* | cravate* | corbata*
button | bath home | fastener | button* | knopf knöpfe* | bouton* | botón botones
needle | bath home | tool metal | needle* | nadel* *nadel | aiguille* | aguja*
thread | bath home | material textile | thread* | faden fäden* garn | fil fils | hilo*
scissors | bath office home health | blade | scissors | schere* | ciseaux | tijera*
stain | home bath | dirt | stain* spot spots | fleck flecken | tache taches | mancha*
dust | home | dirt | dust dirt | staub schmutz | poussière* saleté | polvo suciedad
window | home | furniture | window* pane panes | fenster* scheibe* | fenêtre* vitre* | ventana* cristal
door | home traffic | furniture | door doors | tür türen | porte portes | puerta*
floor | home workshop | room | floor floors | boden fußboden böden | sol sols plancher parquet | suelo suelos
carpet | home | textile furniture | carpet* rug rugs | teppich* | tapis moquette | alfombra*
table | home office | furniture | table tables desk* | tisch tische* schreibtisch* | table tables bureau | mesa* escritorio
chair | home office | furniture | chair* | stuhl stühle* | chaise* | silla*
bed | home | furniture textile | bed beds mattress* | bett betten *bett matratze* | lit lits matelas | cama* colchón
sofa | home | furniture | sofa* couch* | sofa* | canapé* | sofá*
shelf | home workshop | furniture | shelf shelves bookcase | regal* | étagère* | estante* estantería*
curtain | home | textile | curtain* | vorhang vorhänge* | rideau* | cortina*
pillow | home | textile | pillow* cushion* sheet* | kissen* laken | oreiller* coussin* drap | almohada* cojín sábana*
vacuum | home | appliance | vacuum-cleaner* vacuum hoover* | staubsauger* | aspirateur* | aspiradora*
broom | home | brush | broom* | besen* | balai* | escoba*
mop | home | textile utensil | mop mops | wischmopp mopp | serpillière* | fregona*
bucket | home garden workshop traffic | container | bucket* | eimer* | seau* | cubo* balde*
sponge | home traffic | textile | sponge* | schwamm* | éponge* | esponja*
cloth | home traffic | textile | cloth cloths rag rags | tuch *tuch tücher* lappen* | chiffon* torchon* | paño* trapo*
cleaner | home traffic | chemical | cleaner* bleach | reiniger* *reiniger bleichmittel | nettoyant* javel | limpiador* lejía
vinegar | kitchen home | liquid food chemical | vinegar* | essig* | vinaigre* | vinagre*
toilet | home bath | furniture | toilet* | toilette* | toilettes cuvette | inodoro* váter
drain | home bath | part | drain drains pipe* | abfluss* rohr rohre* | canalisation* tuyau* siphon | desagüe* tubería*
lamp | home workshop | appliance | lamp* light-bulb* bulb* | lampe* glühbirne* | lampe* ampoule* | lámpara* bombilla*
wall | home workshop | room | wall walls | wand wände* mauer* | mur murs | pared paredes muro*
room | home workshop | room place | room rooms | zimmer* *zimmer raum räume* | pièce pièces chambre* salle* | habitación habitaciones cuarto* sala
house | home | building place | house houses home flat apartment* | haus häuser* wohnung* | maison* appartement* | casa casas piso
key | home traffic | metal tool | key keys | schlüssel* | clé clés clef* | llave llaves
picture | home workshop | furniture | picture* painting frame frames | bild bilder* | tableau* cadre* | cuadro* marco
bin | home office | container | bin bins garbage trash | mülleimer* papierkorb müll | poubelle* | papelera* basura
hammer | workshop | tool metal | hammer* | hammer* | marteau* | martillo*
nail | workshop | fastener metal | nail nails | nagel nägel* | clou clous | clavo*
screw | workshop | fastener metal | screw screws bolt bolts | schraube* dübel* | vis écrou* boulon* cheville | tornillo* taco tuerca*
screwdriver | workshop office | tool metal | screwdriver* | schraubendreher* schraubenzieher* | tournevis | destornillador*
drill | workshop | tool metal appliance | power-drill drill drills | bohrer bohrmaschine* | perceuse* | taladro* taladradora*
saw | workshop garden | tool blade metal | saw saws | säge sägen | scie scies | sierra* serrucho*
pliers | workshop | tool metal | pliers | zange* | pince* | alicate* tenaza*
wrench | workshop traffic sport | tool metal | wrench* spanner* | schraubenschlüssel* | clé-à-molette | llave-inglesa
wood | workshop garden | material | wood wooden board boards plank* | holz* brett bretter* | bois planche* | madera* tabla*
paint | workshop home | liquid material | paint paints varnish* | farbe farben lack wandfarbe | peinture* vernis | pintura* barniz
paintbrush | workshop | brush tool | brush brushes paintbrush* | pinsel* bürste* | pinceau* brosse* | pincel* brocha* cepillo*
roller | workshop | tool | roller* | farbroller* rolle | rouleau* | rodillo*
glue | workshop office | chemical material | glue* adhesive* | kleber klebstoff* leim | colle colles | pegamento* cola
sandpaper | workshop | tool | sandpaper* | schleifpapier* | papier-de-verre abrasif | lija papel-de-lija
tape | workshop office | material | tape tapes masking-tape | klebeband* kreppband | ruban* scotch adhésif | cinta*
ladder | workshop home | furniture tool | ladder* | leiter leitern | échelle* escabeau* | escalera*
ruler | workshop office | tool | ruler* tape-measure* | lineal* maßband zollstock | règle mètre-ruban | regla metro cinta-métrica
hole | workshop garden | part | hole holes | loch löcher* | trou trous | agujero* hoyo*
fuse | workshop home | device part | fuse fuses power electricity current mains | sicherung* strom stromkreis | fusible* courant électricité disjoncteur | fusible* corriente electricidad luz
tap | home bath | part | tap taps faucet* | wasserhahn hahn | robinet* | grifo*
battery | workshop office traffic | device part | batter* battery batteries | batterie* akku* | pile piles batterie* | batería* pila pilas
flower | garden home | plant | flower* rose roses tulip* | blume* rose* tulpe* | fleur* rose roses tulipe* | flor flores rosa* tulipán
plant | garden home | plant | plants houseplant* seedling* plant | pflanze* zimmerpflanze* setzling* | plante plantes plant | planta plantas
tree | garden nature | plant | tree trees hedge* bush* | baum bäume* hecke* strauch | arbre* haie* arbuste | árbol* seto* arbusto
seed | garden | plant food | seed seeds bulb-seeds | samen saatgut | graine* semence* | semilla*
soil | garden nature | material | soil earth compost* | erde kompost* | terre terreau* compost* | tierra sustrato compost
grass | garden nature | plant | grass lawn* | gras rasen* | herbe gazon* pelouse* | hierba césped*
leaf | garden nature | plant | leaf leaves branch* | blatt blätter* laub zweig* ast äste* | feuille feuilles branche* | hoja hojas rama ramas
garden | garden | place | garden* flower-bed bed-of | garten gärten beet | jardin* potager | jardín jardines huerto
spade | garden | tool metal | spade* shovel* trowel* | spaten* schaufel* | bêche* pelle* | pala palas
rake | garden | tool metal | rake rakes | rechen* harke* | râteau* | rastrillo*
hose | garden | tool | hose hoses | schlauch* gartenschlauch | tuyau-d'arrosage | manguera*
can | garden | container tool | watering-can* | gießkanne* | arrosoir* | regadera*
mower | garden | appliance tool | mower* lawnmower* | rasenmäher* | tondeuse* | cortacésped*
shears | garden | blade tool | shears secateur* pruner* | gartenschere* heckenschere* | sécateur* cisaille* | podadora*
flowerpot | garden home | container | flowerpot* pot-plant | blumentopf* blumentöpfe* | pot pots | maceta* tiesto*
fertilizer | garden | chemical | fertili* | dünger* | engrais | abono* fertilizante*
car | traffic travel | vehicle | car cars | auto autos wagen fahrzeug* | voiture* auto véhicule* | coche* auto carro vehículo*
bicycle | traffic sport | vehicle | bicycle* bike bikes | fahrrad* fahrräder* rad | vélo* bicyclette* | bicicleta* bici
bus | traffic travel | vehicle | bus buses | bus busse* | bus autobus | autobús autobuses
train | traffic travel | vehicle | train trains | zug züge* bahn | train trains | tren trenes
plane | travel | vehicle | plane planes airplane* aircraft flight* | flugzeug* flug flüge* | avion* vol vols | avión aviones vuelo*
boat | travel sport | vehicle | boat* ship ships | boot boote* schiff* | bateau* navire* | barco* bote*
wheel | traffic sport | part | wheel* tyre* tire tires tube inner-tube | reifen rad räder* felge schlauch | roue* pneu* chambre-à-air | rueda* neumático* cámara
jack | traffic | tool metal | jack jacks | wagenheber* | cric crics | gato-hidráulico
chain | traffic sport | part metal | chain chains | kette* | chaîne* | cadena*
pump | traffic sport | tool | pump* air-pump | luftpumpe* pumpe* | pompe* | bomba inflador bombín
engine | traffic | part hot | engine* motor motors | motor motoren | moteur* | motor motores
petrol | traffic | liquid chemical | petrol gasoline fuel | benzin kraftstoff | essence carburant* | gasolina combustible*
road | traffic | place | road roads street* lane* | straße* fahrbahn spur | route routes rue rues chaussée | carretera* calle* carril
motorway | traffic travel | place | motorway* highway* freeway* | autobahn* | autoroute* | autopista* autovía*
parking | traffic | place | parking-space* parking car-park | parkplatz* parklücke* | place-de-parking parking stationnement | aparcamiento* plaza
mirror | traffic bath home | furniture part | mirror* | spiegel* rückspiegel | rétroviseur* miroir* | espejo* retrovisor
seatbelt | traffic travel | part | seat-belt* seatbelt* belt | gurt sicherheitsgurt | ceinture* | cinturón*
suitcase | travel | container | suitcase* luggage baggage backpack* | koffer* gepäck rucksack* | valise* bagage* sac-à-dos | maleta* equipaje mochila*
passport | travel | document | passport* visa* identity-card | pass reisepass* ausweis* visum | passeport* visa* carte-d'identité | pasaporte* visado* documento
ticket | travel traffic | document | ticket* boarding-pass | ticket* fahrkarte* bordkarte* flugticket | billet* ticket* | billete* tarjeta-de-embarque boleto*
hotel | travel | building place | hotel* hostel* | hotel* | hôtel* auberge* | hotel hoteles
airport | travel | building place | airport* gate gates | flughafen* gate | aéroport* porte-d'embarquement | aeropuerto* puerta-de-embarque
station | travel traffic | building place | station* platform* | bahnhof* bahnsteig* gleis* | gare gares quai* | estación estaciones andén*
map | travel | document | map maps route* | karte landkarte* stadtplan route* | plan plans itinéraire* | mapa* ruta*
tent | travel sport | furniture | tent tents | zelt zelte* | tente* | tienda-de-campaña carpa
campfire | travel sport nature | hot place | campfire* fire | lagerfeuer* feuer | feu-de-camp | hoguera* fogata
beach | travel sport | place | beach* sand | strand strände* sand | plage* sable | playa* arena
computer | office | device | computer* laptop* pc notebook | computer* rechner* laptop* | ordinateur* portable* | ordenador* computadora* portátil*
phone | office | device | phone phones smartphone* mobile | handy* telefon* smartphone* | téléphone* portable smartphone* | teléfono* móvil*
printer | office | device | printer* | drucker* | imprimante* | impresora*
keyboard | office | device | keyboard* mouse-pad | tastatur* | clavier* | teclado*
screen | office | device | screen* monitor* | bildschirm* monitor* | écran* | pantalla* monitor
cable | office workshop | device part | cable* plug plugs charger* cord | kabel *kabel stecker* ladegerät* | câble* prise* chargeur* | cable* enchufe* cargador*
file | office | file | file files folder* document* | datei dateien ordner dokument* | fichier* dossier* document* | archivo* carpeta* fichero*
program | office | file | program* app apps software update* | programm* app apps software update | programme* appli* logiciel* mise-à-jour | programa* aplicación aplicaciones actualización
password | office money | file | password* code | passwort passwörter* kennwort | mot-de-passe code | contraseña* clave*
email | office | file document | email* e-mail* mail message* attachment* | e-mail* mail nachricht* anhang | e-mail* courriel* message* pièce-jointe | correo* mensaje* adjunto
website | office | file | website* browser* internet link | webseite* browser* internet link | site sites navigateur* internet lien | sitio web navegador* internet página enlace
paper | office | document material | paper papers sheet-of | papier* blatt-papier | papier papiers | papel papeles
letter | office | document | letter* envelope* | brief briefe* umschlag | lettre* enveloppe* | carta* sobre
pen | office | utensil | pen pens pencil* | stift stifte* kugelschreiber* bleistift* | stylo* crayon* | bolígrafo* lápiz
stapler | office | utensil metal | stapler* | hefter tacker | agrafeuse* | grapadora*
book | office home | document | book books | buch bücher* | livre livres | libro*
form | office money | document | form forms contract* | formular* vertrag verträge* | formulaire* contrat* | formulario* contrato*
money | money | money | money cash coin* banknote* | geld bargeld münze* schein | argent espèces pièce-de-monnaie monnaie | dinero efectivo moneda*
bank | money | building place | bank banks | bank banken | banque* | banco bancos
account | money | file | account* savings | konto konten sparkonto | compte comptes épargne | cuenta* ahorro*
card | money travel | document | credit-card* card cards | kreditkarte* bankkarte* girocard | carte cartes carte-bancaire | tarjeta*
atm | money | device | cash-machine* atm | geldautomat* automat | distributeur* | cajero*
bill | money | document | bill bills invoice* receipt* | rechnung* kassenbon quittung* | facture* reçu* ticket-de-caisse | factura* recibo*
budget | money | document | budget* income expense* | budget* einnahmen ausgaben | budget* revenus dépense* | presupuesto* ingreso* gasto*
wallet | money travel | container | wallet* purse* | geldbörse* portemonnaie* brieftasche | portefeuille* porte-monnaie | cartera* monedero*
shop | money kitchen | building place | shop shops supermarket* store | laden geschäft* supermarkt* | magasin* supermarché* boutique | tienda tiendas supermercado*
doctor | health | person | doctor* physician* dentist* | arzt ärztin zahnarzt ärzte* | médecin* docteur* dentiste* | médico* doctor dentista*
ambulance | health | vehicle person | ambulance* emergency | krankenwagen notarzt notruf rettungsdienst | ambulance* secours urgences | ambulancia emergencia* urgencias
wound | health | body | wound* cut cuts injury burn burns | wunde* schnitt verletzung* verbrennung brandwunde | plaie* blessure* coupure brûlure* | herida* corte quemadura*
plaster | health | bandage textile | plaster* bandage* dressing gauze | pflaster* verband* mullbinde kompresse* | pansement* bandage* compresse* | tirita* venda* apósito* gasa*
disinfectant | health | chemical liquid | disinfect* antiseptic* | desinfektion* | désinfectant* antiseptique* | desinfectante* antiséptico*
medicine | health | medicine | medicine* tablet tablets pill pills syrup | medikament* tablette* arznei | médicament* comprimé* cachet | medicamento* pastilla* medicina
thermometer | health kitchen | device | thermometer* | thermometer* fieberthermometer | thermomètre* | termómetro*
fever | health | state | fever* temperature-of | fieber | fièvre | fiebre
nose | health | body | nose* nostril* | nase nasen* | nez narine* | nariz
ankle | health sport | body | ankle* foot feet leg legs knee* | knöchel* fuß füße* bein beine* knie* | cheville* pied pieds jambe* genou* | tobillo* pie pies pierna* rodilla*
back | health sport | body | shoulder* chest arm arms muscle* head | rücken schulter* brust arm arme* muskel* kopf | dos épaule* poitrine bras muscle* tête | espalda hombro* pecho brazo* músculo* cabeza
patient | health | person | patient* victim casualty | patient* verletzte* | patient* victime blessé | paciente* víctima herido
ball | sport | toy | ball balls football* | ball bälle* fußball | ballon* balle balles | pelota* balón*
net | sport | toy | net nets racket* goal | netz netze schläger tor | filet* raquette* but | red redes raqueta* portería
mat | sport home | textile | mat mats yoga-mat | matte matten yogamatte | tapis-de-sol | esterilla*
pool | sport | place | pool pools lake* | becken schwimmbad pool see | piscine* bassin lac | piscina* lago
gym | sport | place | gym gyms track | sporthalle fitnessstudio laufbahn | gymnase* salle-de-sport piste | gimnasio* pista
swimsuit | sport | clothing | swimsuit* goggles | badeanzug badehose schwimmbrille | maillot* | bañador* gafas
dog | pets | animal | dog dogs puppy* | hund hunde* welpe* | chien* chiot | perro* cachorro
cat | pets | animal | cat cats kitten* | katze* | chat chats chaton* | gato* gatito*
rabbit | pets | animal | rabbit* hamster* | kaninchen* hase* hamster* | lapin* hamster* | conejo* hámster
bird | pets nature | animal | bird* parrot* budgie* | vogel vögel* papagei* wellensittich* | oiseau* perroquet* perruche | pájaro* loro* periquito
aquarium | pets | container furniture | aquarium* fish-tank tank | aquarium* aquarien | aquarium* | acuario* pecera
leash | pets | tool | leash* lead collar* | leine halsband | laisse* collier* | correa* collar
litter | pets | container | litter-box litter | katzenklo streu | litière* | arenero arena-para
cage | pets | container | cage* | käfig* | cage cages | jaula*
vet | pets health | person | vet vets | tierarzt tierärztin | vétérinaire* | veterinario*
petfood | pets | food | dog-food cat-food kibble treat treats | futter* hundefutter leckerli* | croquette* friandise* | pienso premio* golosina*
horse | pets nature | animal | horse* pony | pferd* pony | cheval* poney | caballo* poni
cow | nature | animal | cow cows cattle | kuh kühe* rind rinder | vache* | vaca*
sheep | nature | animal | sheep goat* pig pigs | schaf* ziege* schwein* | mouton* chèvre* cochon* | oveja* cabra* cerdo*
elephant | nature | animal big | elephant* | elefant* | éléphant* | elefante*
mouse | nature pets | animal | mouse mice | maus mäuse | souris | ratón ratones
whale | nature | animal big | whale* | wal wale | baleine* | ballena*
person | any | person | person people man woman men women adult* child children baby | mensch* mann frau erwachsene* kind kinder* baby | personne* homme* femme* adulte* enfant* bébé* | persona* hombre* mujer* adulto* niño* bebé
moon | nature | fantastic place | moon mars | mond mars | lune mars | luna marte
volcano | nature | fantastic place hot | volcano* lava | vulkan* lava | volcan* lave | volcán volcanes lava
ocean | nature travel | fantastic place | ocean* sea seabed | ozean* meer meeresboden | océan* mer | océano* mar
cloud | nature | fantastic | cloud* rainbow* | wolke* regenbogen | nuage* arc-en-ciel | nube* arcoíris
dinosaur | nature | animal fantastic big | dinosaur* dragon* unicorn* | dinosaurier* drache* einhorn | dinosaure* dragon* licorne | dinosaurio* dragón unicornio
mountain | nature travel sport | place big | mountain* hill hills | berg berge* hügel | montagne* colline* | montaña* colina*
stone | nature garden | material | stone* rock rocks brick* | stein steine* ziegel* | pierre* caillou* brique | piedra* roca* ladrillo*
fridge_door | kitchen | part | drawer* cupboard* cabinet* | schublade* schrank schränke* | tiroir* placard* armoire | cajón cajones armario*
candle | home | hot | candle* match matches | kerze* streichholz | bougie* allumette* | vela velas cerilla*
baby | home health | person | infant* | säugling* | nourrisson* | lactante
grease | kitchen home | liquid hot | grease fat | fett | graisse* | grasa*
"""
