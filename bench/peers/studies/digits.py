"""What the five scripts of this folder share: 400 digits, a fifth of whose labels are wrong, and a small network.

Each script beside this one is written as people write such scripts: it knows nothing of wd.
"""

import argparse
import math
from pathlib import Path

import numpy as np
import torch
from torch import nn

STEPS, BATCH, EVERY = 400, 200, 50
TABLE = Path(__file__).resolve().parents[3] / "corpora/tables/digits.csv.gz"


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--weight-decay", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    return parser.parse_args()


def data():
    """Training and validation digits: (images, labels) each."""
    table = np.loadtxt(TABLE, delimiter=",")
    order = np.random.default_rng(0).permutation(len(table))
    images = torch.tensor(table[order, :-1] / 16.0, dtype=torch.float32)
    labels = torch.tensor(table[order, -1], dtype=torch.long)
    wrong = np.random.default_rng(1).random(400) < 0.2
    training = labels[:400].clone()
    training[wrong] = torch.tensor(np.random.default_rng(2).integers(0, 10, wrong.sum()))
    return (images[:400], training), (images[400:], labels[400:])


def network(seed):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10)
    )


def cosine(step):
    return 0.5 * (1 + math.cos(math.pi * step / STEPS))


@torch.no_grad()
def loss_on(model, pair):
    model.eval()
    loss = nn.functional.cross_entropy(model(pair[0]), pair[1]).item()
    model.train()
    return loss


def batches(seed, count):
    """The examples of every step."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(STEPS):
        yield torch.randint(0, count, (BATCH,), generator=generator)


def train(options, log):
    """The plain loop; `log(step, losses)` is called every 50 steps, before the update."""
    training, validation = data()
    model = network(options.seed)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=options.lr, weight_decay=options.weight_decay
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, cosine)
    for step, batch in enumerate(batches(options.seed, len(training[0]))):
        if step % EVERY == 0:
            log(step, loss_on(model, training), loss_on(model, validation))
        loss = nn.functional.cross_entropy(model(training[0][batch]), training[1][batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    log(STEPS, loss_on(model, training), loss_on(model, validation))
