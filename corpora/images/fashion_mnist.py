"""Cuts the shipped set out of Fashion-MNIST: the first images of each class, in the order of the original files.

    python3 fashion_mnist.py FOLDER OUT

FOLDER holds the four files of Fashion-MNIST as zalandoresearch/fashion-mnist ships them. Needs nothing but Python 3.
"""

import gzip
import hashlib
import struct
import sys
from pathlib import Path

# Of each class, so that the files stay below 3 MB together.
PARTS = {"train": 400, "t10k": 200}
CLASSES = 10


def read(folder, name):
    with gzip.open(folder / f"{name}.gz") as file:
        return file.read()


def write(out, name, content):
    # Without name and time, so that the same content gives the same file.
    with open(out / f"{name}.gz", "wb") as file:
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=9, mtime=0) as archive:
            archive.write(content)
    print(f"{hashlib.sha256(content).hexdigest()}  {name}")


def main(folder, out):
    folder, out = Path(folder), Path(out)
    out.mkdir(parents=True, exist_ok=True)
    for part, most in PARTS.items():
        images = read(folder, f"{part}-images-idx3-ubyte")
        labels = read(folder, f"{part}-labels-idx1-ubyte")
        magic, count, height, width = struct.unpack(">4I", images[:16])
        assert (magic, height, width) == (0x803, 28, 28), "not Fashion-MNIST"
        assert struct.unpack(">2I", labels[:8]) == (0x801, count), "labels of other images"
        size = height * width
        seen = [0] * CLASSES
        kept = []
        for index, label in enumerate(labels[8:]):
            if seen[label] < most:
                seen[label] += 1
                kept.append(index)
        assert seen == [most] * CLASSES, "too few images"
        pixels = b"".join(images[16 + index * size : 16 + (index + 1) * size] for index in kept)
        write(out, f"{part}-images-idx3-ubyte", struct.pack(">4I", 0x803, len(kept), height, width) + pixels)
        write(out, f"{part}-labels-idx1-ubyte", struct.pack(">2I", 0x801, len(kept)) + bytes(labels[8 + i] for i in kept))


if __name__ == "__main__":
    main(*sys.argv[1:])
