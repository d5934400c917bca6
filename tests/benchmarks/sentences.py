"""The corpus that pre-training is measured on: a file of {text, language} per line, in the 32 languages.

    .venv/bin/python tests/benchmarks/sentences.py DATA corpus.jsonl

DATA holds `ud_sentences/CODE.jsonl` (Universal Dependencies: 600 to 4,348 sentences in each of 29 languages) and `udhr`
(the declaration of human rights in every language: about 90 paragraphs, all that there is of three of them).
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from envs.languages import CODES

DECLARATIONS = {
    "de": "de-1996",
    "el": "el-monoton",
    "no": "nb",
    "pt": "pt-BR",
}  # languages with several, or another code


def texts(data: Path, language: str) -> Iterator[str]:
    sentences = data / "ud_sentences" / f"{language}.jsonl"
    if sentences.exists():
        for line in sentences.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)["text"]
    wanted = DECLARATIONS.get(language, language)
    for entry in json.loads((data / "udhr" / "index.json").read_bytes()):
        if entry["bcp47"] == wanted:
            yield from (data / "udhr" / "text" / f"{entry['code']}.txt").read_text(encoding="utf-8").splitlines()


if __name__ == "__main__":
    folder, out = map(Path, sys.argv[1:])
    with out.open("w", encoding="utf-8") as file:
        for code in CODES:
            for text in texts(folder, code):
                file.write(json.dumps({"text": text, "language": code}, ensure_ascii=False) + "\n")
