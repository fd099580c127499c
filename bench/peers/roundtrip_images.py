"""An image classifier's way from `wd export` to timm or torchvision: its loss and accuracy must stay the same.

    wd train studies/fashion-vit.toml --run-dir runs/vit
    wd export runs/vit --out runs/exported/model.safetensors
    bench/peers/venv/bin/python bench/peers/roundtrip_images.py --model runs/exported --run runs/vit --save runs/returned
    wd train studies/fashion-vit.toml --set model.init_from=runs/returned/model.safetensors --run-dir runs/second

Makes a vision transformer with `timm.create_model("local-dir:…", pretrained=True)`, a ResNet of depth 18 with
`torchvision.models.resnet18`; reads the test images of the run (gzipped IDX, as shipped), normalises them as its plan says,
and compares mean negative log-likelihood and accuracy with the last evaluation of the run. `--save` writes the model again,
as PyTorch names it, and checks that the same bits come back.
"""

import argparse
import csv
import gzip
import shutil
import subprocess
from pathlib import Path

import numpy as np
import safetensors.torch
import timm
import torch
import torchvision

from finished_run import FinishedRun

REPOSITORY = Path(__file__).resolve().parents[2]


def idx(path):
    """The array of a gzipped IDX file of bytes."""
    data = gzip.open(path).read()
    dimensions = data[3]
    shape = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(dimensions)]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def test_images(run):
    """Normalised images [image, channel, row, column] and labels, those that the run is evaluated on."""
    folder = Path(run.config["data"].get("test", run.config["data"]["path"]))
    pixels = idx(folder / "t10k-images-idx3-ubyte.gz")
    labels = idx(folder / "t10k-labels-idx1-ubyte.gz")
    count = run.plan["validation_samples"]
    chosen = [i * len(pixels) // count for i in range(count)]
    images = run.plan["images"]
    mean, std = (torch.tensor(images[name], dtype=torch.float64).reshape(1, -1, 1, 1) for name in ("mean", "std"))
    inputs = torch.from_numpy(pixels[chosen].copy()).unsqueeze(1).double() / 255
    return ((inputs - mean) / std).float(), torch.from_numpy(labels[chosen].astype(np.int64))


def last_scores(run, names):
    """The last evaluation of a run."""
    command = [run.wd, "metrics", run.folder, "--columns", ",".join(names), "--csv"]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    row = list(csv.DictReader(text.splitlines()))[-1]
    return [float(row[name]) for name in names]


def timm_model(folder, run):
    return timm.create_model(f"local-dir:{folder}", pretrained=True)


def torchvision_model(folder, run):
    section = run.config["model"]
    if section["depth"] != 18 or section.get("width", 64) != 64:
        raise SystemExit("torchvision has resnet18, whose first stage is 64 wide, alone")
    channels, classes = run.plan["images"]["shape"][2], len(run.plan["images"]["classes"])
    model = torchvision.models.resnet18(num_classes=classes)
    if section.get("stem", "small") == "small":
        model.conv1 = torch.nn.Conv2d(channels, 64, 3, 1, 1, bias=False)
        model.maxpool = torch.nn.Identity()
    else:
        model.conv1 = torch.nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
    model.load_state_dict(safetensors.torch.load_file(folder / "model.safetensors"), strict=True)
    return model


LIBRARIES = {"vit": (timm, timm_model), "resnet": (torchvision, torchvision_model)}


@torch.no_grad()
def scores(model, images, labels, batch=250):
    model.eval()
    logits = torch.cat([model(images[i : i + batch]) for i in range(0, len(images), batch)])
    loss = torch.nn.functional.cross_entropy(logits.double(), labels).item()
    return loss, (logits.argmax(1) == labels).double().mean().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder with model.safetensors and config.json")
    parser.add_argument("--run", type=Path, required=True, help="the run that was exported")
    parser.add_argument("--save", type=Path, help="folder to save the model to again")
    parser.add_argument("--tolerance", type=float, default=1e-5, help="relative, on the loss")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--wd", default=REPOSITORY / "target" / "release" / "wd", help="the command, to read metrics")
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    run = FinishedRun(arguments.run, arguments.wd)
    images, labels = test_images(run)
    library, make = LIBRARIES[run.config["model"]["kind"]]
    model = make(arguments.model, run)
    loss, accuracy = scores(model, images, labels)
    stated_loss, stated_accuracy = last_scores(run, ["validation_loss", "test_accuracy"])
    relative = abs(loss / stated_loss - 1)
    print(f"{library.__name__} {library.__version__}: {loss:.8f}, {accuracy:.4f} right of {len(images)} images")
    print(f"weight-decay: {stated_loss:.8f}, {stated_accuracy:.4f}; relative difference {relative:.1e}")
    if not relative <= arguments.tolerance:
        raise SystemExit(f"larger than {arguments.tolerance}")
    if abs(accuracy - stated_accuracy) > 1.5 / len(images):
        raise SystemExit("the accuracies differ by more than one image")
    if arguments.save:
        arguments.save.mkdir(parents=True, exist_ok=True)
        state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
        safetensors.torch.save_file(state, arguments.save / "model.safetensors", metadata={"format": "pt"})
        if (arguments.model / "config.json").exists():
            shutil.copy(arguments.model / "config.json", arguments.save / "config.json")
        before = safetensors.torch.load_file(arguments.model / "model.safetensors")
        if set(before) != set(state) or any(not torch.equal(before[name], state[name].float()) for name in before):
            raise SystemExit(f"what {library.__name__} holds is not what was exported")
        print(f"saved to {arguments.save}; the same bits come back")


if __name__ == "__main__":
    main()
