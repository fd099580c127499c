"""Golden values for the tokenizers, made without the library that the program uses.

    python3 tokenizers.py ENCODER.json VOCAB.bpe STATE-OF-THE-UNION.jsonl > tokenizers.json

Needs the package `regex`. Encoding is OpenAI's algorithm (openai/gpt-2, src/encoder.py): cut by the pattern, then
merge the pair of lowest rank until none is left. Learning is the definition, without any bookkeeping: count all pairs
of all words, merge the most frequent (among equals the one of the lowest token numbers) everywhere, again and again.
"""

import collections
import json
import sys

import regex

PATTERN = regex.compile(r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+""")
END = "<|endoftext|>"

TEXTS = [
    "Hello world",
    "Hello, world! It's 1790; they'd've said: don't.",
    "  two  spaces \n\n\ttab\r\n and a trailing space ",
    "naïve café — “quotes” … 你好，世界 🙂👩‍👩‍👧 ﷽ \u00a0\u2003x",
    "<|endoftext|> is text here",
    "3.14159 x^2 + y_1 = {'a': [1, 2]}",
    "\u0000\u0001\u007f\u0085 control",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
]


def byte_characters():
    itself = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in itself]
    return {byte: chr(byte) for byte in itself} | {byte: chr(256 + i) for i, byte in enumerate(others)}


CHARACTERS = byte_characters()


def words(text):
    return ["".join(CHARACTERS[byte] for byte in word.encode()) for word in PATTERN.findall(text)]


def merge(parts, pair):
    merged, i = [], 0
    while i < len(parts):
        if tuple(parts[i : i + 2]) == pair:
            merged.append(parts[i] + parts[i + 1])
            i += 2
        else:
            merged.append(parts[i])
            i += 1
    return merged


def encode(text, numbers, ranks):
    tokens = []
    for word in words(text):
        parts = list(word)
        while len(parts) > 1:
            pair = min(zip(parts, parts[1:]), key=lambda pair: ranks.get(pair, len(ranks)))
            if pair not in ranks:
                break
            parts = merge(parts, pair)
        tokens += [numbers[part] for part in parts]
    return tokens


def learn(text, vocabulary):
    numbers = {token: i for i, token in enumerate([END, *sorted(CHARACTERS.values())])}
    counted = [(list(word), count) for word, count in collections.Counter(words(text)).items()]
    merges = []
    while len(numbers) < vocabulary:
        pairs = collections.Counter()
        for parts, count in counted:
            for pair in zip(parts, parts[1:]):
                pairs[pair] += count
        pair, count = min(pairs.items(), key=lambda item: (-item[1], numbers[item[0][0]], numbers[item[0][1]]))
        if count < 2:
            break
        merges.append(pair)
        numbers["".join(pair)] = len(numbers)
        counted = [(merge(parts, pair), count) for parts, count in counted]
    return numbers, merges


def main(encoder, bpe, corpus):
    with open(encoder, encoding="utf-8") as file:
        numbers = json.load(file)
    with open(bpe, encoding="utf-8") as file:
        pairs = [tuple(line.split()) for line in file.read().split("\n")[1:-1]]
    ranks = {pair: rank for rank, pair in enumerate(pairs)}
    with open(corpus, encoding="utf-8") as file:
        speech = json.loads(file.readline())["text"]
    learned, merges = learn(speech, 512)
    learned_ranks = {pair: rank for rank, pair in enumerate(merges)}
    texts = [*TEXTS, speech]
    json.dump(
        {
            "texts": texts,
            "gpt2": [encode(text, numbers, ranks) for text in texts],
            "learned_merges": merges,
            "learned_tokens": encode(speech, learned, learned_ranks),
        },
        sys.stdout,
        ensure_ascii=False,
    )
    print()


if __name__ == "__main__":
    main(*sys.argv[1:])
