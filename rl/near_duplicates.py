"""Texts that nearly repeat an earlier one, by MinHash over word shingles, in one pass and bounded memory.

The share of equal minima of two texts estimates the Jaccard similarity of their shingle sets (Broder 1997). Candidates
are found by locality-sensitive hashing: minima in bands, texts with an equal band. Language models trained without near
duplicates memorise less and are as good (Lee et al. 2022, 2107.06499). Memory: about 600 bytes a text.
"""

import hashlib
import unicodedata
import zlib

import numpy as np

NUM_HASHES, NUM_BANDS = 64, 16  # bands of 4: texts of similarity 0.8 share one with probability 0.9998
SHINGLE_WORDS = 3
PRIME = np.uint64(2**31 - 1)
_RANDOM = np.random.default_rng(1997)
_FACTORS = _RANDOM.integers(1, 2**31 - 1, NUM_HASHES, dtype=np.uint64)
_OFFSETS = _RANDOM.integers(0, 2**31 - 1, NUM_HASHES, dtype=np.uint64)


def normalise(text: str) -> str:
    """What two texts have in common that differ in letter case, width of letters, and white space alone."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def shingles(text: str) -> set[str]:
    """Three words in a row of a normalised text; three letters where words are not set apart, or are too few."""
    words = text.split(" ")
    if len(words) < 2 * SHINGLE_WORDS:
        return {text[i : i + SHINGLE_WORDS] for i in range(max(1, len(text) - SHINGLE_WORDS + 1))}
    return {" ".join(words[i : i + SHINGLE_WORDS]) for i in range(len(words) - SHINGLE_WORDS + 1)}


def signature(text: str) -> np.ndarray:
    """[NUM_HASHES] uint32 minima over the shingles of a normalised text, one for each of the hash functions
    h(x) = (a x + b) mod p.
    """
    values = np.array([zlib.crc32(shingle.encode()) for shingle in shingles(text)], np.uint64) % PRIME
    return ((values[:, None] * _FACTORS + _OFFSETS) % PRIME).min(0).astype(np.uint32)


class Seen:
    """The texts so far. `threshold`: similarity from which a text repeats another; 0: only where they are equal.

    Example: `seen = Seen(0.8); fresh = [text for text in texts if seen.add(text)]`
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._exact: set[bytes] = set()
        self._signatures: list[np.ndarray] = []
        self._bands: dict[bytes, list[int]] = {}

    def add(self, text: str) -> bool:
        """Whether the text is new; it is remembered if so."""
        normal = normalise(text)
        digest = hashlib.blake2b(normal.encode(), digest_size=16).digest()
        if digest in self._exact:
            return False
        if self._threshold > 0 and not self._add_signature(normal):
            return False
        self._exact.add(digest)
        return True

    def _add_signature(self, normal: str) -> bool:
        minima = signature(normal)
        keys = [bytes([band]) + part.tobytes() for band, part in enumerate(minima.reshape(NUM_BANDS, -1))]
        candidates = {index for key in keys for index in self._bands.get(key, ())}
        if any((self._signatures[index] == minima).mean() >= self._threshold for index in candidates):
            return False
        for key in keys:
            self._bands.setdefault(key, []).append(len(self._signatures))
        self._signatures.append(minima)
        return True
