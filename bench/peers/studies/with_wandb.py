"""Digits, logged by Weights & Biases."""

import wandb

from digits import arguments, train

options = arguments()
run = wandb.init(project="digits", config=vars(options))
train(
    options,
    lambda step, training, validation: run.log(
        {"train/full_loss": training, "val/loss": validation}, step=step
    ),
)
run.finish()
