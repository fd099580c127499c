"""Golden values for images, and the small image files that the tests read, made with Pillow, PyArrow, NumPy and SciPy.

    python3 images.py ../../../../corpora/images/fashion-mnist

Writes into the folder `images` beside it. Needs the packages blake3, numpy, pillow, pyarrow and scipy.
"""

import gzip
import io
import json
import struct
import sys
from pathlib import Path

import blake3
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image
from scipy.ndimage import gaussian_filter

HEIGHT, WIDTH = 10, 12
OUT = Path(__file__).parent / "images"


def pattern(channels, seed):
    """Smooth enough for JPEG, and different in every channel."""
    row, column, channel = np.meshgrid(np.arange(HEIGHT), np.arange(WIDTH), np.arange(channels), indexing="ij")
    values = 127.5 + 110 * np.sin(row * 0.5 + seed) * np.cos(column * 0.4 + channel * 1.3)
    return np.rint(values).astype(np.uint8)


def files():
    """Names, files and what is in them: [row][column][channel], 1 channel for grey."""
    grey, colour = pattern(1, 0), pattern(3, 1)
    alpha = np.dstack([colour, np.full((HEIGHT, WIDTH, 1), 100, np.uint8)])
    bilevel = Image.fromarray(grey[..., 0]).convert("1")
    palette = Image.fromarray(colour).convert("P", palette=Image.Palette.ADAPTIVE, colors=16)
    deep = np.arange(HEIGHT * WIDTH, dtype=np.uint16).reshape(HEIGHT, WIDTH) * 546
    cases = {
        "grey.png": (Image.fromarray(grey[..., 0]), {}, grey),
        "colour.png": (Image.fromarray(colour), {}, colour),
        "alpha.png": (Image.fromarray(alpha), {}, colour),
        "bilevel.png": (bilevel, {}, np.array(bilevel.convert("L"))[..., None]),
        "palette.png": (palette, {}, np.array(palette.convert("RGB"))),
        # Pillow cuts 16 bits off instead of scaling them.
        "deep.png": (Image.fromarray(deep), {}, np.rint(deep / 257).astype(np.uint8)[..., None]),
        "grey.jpg": (Image.fromarray(grey[..., 0]), {"quality": 95}, None),
        "colour.jpg": (Image.fromarray(colour), {"quality": 95, "subsampling": 0}, None),
        "progressive.jpg": (Image.fromarray(colour), {"quality": 95, "subsampling": 0, "progressive": True}, None),
    }
    expected = {}
    for name, (image, options, pixels) in cases.items():
        image.save(OUT / name, **options)
        if pixels is None:
            pixels = np.array(Image.open(OUT / name))
            pixels = pixels.reshape(HEIGHT, WIDTH, -1)
        expected[name] = {"channels": pixels.shape[2], "pixels": pixels.flatten().tolist()}
    return expected


def parquet():
    """As the library `datasets` writes it: a struct of bytes and path, the names of the classes in the metadata."""
    images, labels, expected = [], [], []
    for row in range(7):
        pixels = pattern(3, row)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, format="PNG")
        images.append({"bytes": file.getvalue(), "path": f"{row}.png"})
        labels.append([2, 0, 1, 1, 0, 2, 2][row])
        expected.append(pixels.flatten().tolist())
    features = {
        "image": {"_type": "Image"},
        "label": {"names": ["bird", "cat", "dog"], "_type": "ClassLabel"},
    }
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    schema = pa.schema(
        [("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])), ("label", pa.int64())],
        metadata=metadata,
    )
    table = pa.table({"image": images, "label": labels}, schema=schema)
    pq.write_table(table, OUT / "train-00000-of-00001.parquet", row_group_size=4)
    # The columns of CIFAR-10 there: `img`; here plain binary, and small integers.
    plain = pa.table(
        {"img": pa.array([image["bytes"] for image in images], pa.binary()), "labels": pa.array(labels, pa.int32())}
    )
    pq.write_table(plain, OUT / "plain.parquet", compression="none")
    return {"labels": labels, "pixels": expected}


def cifar():
    """Records of both versions, and their pixels as [row][column][channel]."""
    random = np.random.default_rng(0)
    planes = random.integers(0, 256, (3, 3, 32, 32), dtype=np.uint8)
    fine, coarse = [7, 0, 9], [3, 19, 0]
    ten = b"".join(bytes([label]) + image.tobytes() for label, image in zip(fine, planes))
    hundred = b"".join(bytes([c, f]) + image.tobytes() for c, f, image in zip(coarse, fine, planes))
    pixels = planes.transpose(0, 2, 3, 1).tobytes()
    for name, content in [("cifar-10.bin.gz", ten), ("cifar-100.bin.gz", hundred)]:
        with open(OUT / name, "wb") as file, gzip.GzipFile("", "wb", fileobj=file, mtime=0) as archive:
            archive.write(content)
    return {"labels": fine, "pixels": blake3.blake3(pixels).hexdigest()}


def shipped(folder):
    """The shipped set: its hash as the crate defines it, a few pixels, and what follows from them."""
    parts = {}
    for part in ["train", "t10k"]:
        images = gzip.open(folder / f"{part}-images-idx3-ubyte.gz").read()
        labels = gzip.open(folder / f"{part}-labels-idx1-ubyte.gz").read()
        _, count, height, width = struct.unpack(">4I", images[:16])
        pixels = np.frombuffer(images, np.uint8, offset=16).reshape(count, height, width)
        labels = np.frombuffer(labels, np.uint8, offset=8)
        digest = blake3.blake3()
        digest.update(struct.pack("<4Q", count, height, width, 1))
        digest.update(labels.astype("<u4").tobytes())
        digest.update(pixels.tobytes())
        parts[part] = {
            "count": count,
            "hash": digest.hexdigest(),
            "first_labels": labels[:10].tolist(),
            "row_14_of_image_123": pixels[123, 14].tolist(),
        }
        if part == "train":
            unit = pixels[:1000].astype(np.float64) / 255
            parts[part]["mean_of_1000"] = unit.mean()
            parts[part]["std_of_1000"] = unit.std()
    # Of image 5 of the test part, rounded half up: what is not random about corruptions.
    image = pixels[5].astype(np.float64)
    parts["blur"] = [
        np.floor(gaussian_filter(image, sigma, mode="nearest", truncate=4.0) + 0.5).flatten().tolist()
        for sigma in [0.4, 0.6, 0.7, 0.8, 1.0]
    ]
    parts["contrast"] = [
        np.floor(image.mean() + factor * (image - image.mean()) + 0.5).flatten().tolist()
        for factor in [0.75, 0.5, 0.4, 0.3, 0.15]
    ]
    return parts


def main(folder):
    OUT.mkdir(exist_ok=True)
    golden = {"files": files(), "parquet": parquet(), "cifar": cifar(), "shipped": shipped(Path(folder))}
    with open(OUT / "golden.json", "w", encoding="utf-8") as file:
        json.dump(golden, file)
        file.write("\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
