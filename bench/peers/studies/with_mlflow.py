"""Digits, logged by MLflow."""

import mlflow

from digits import arguments, train

options = arguments()
with mlflow.start_run():
    mlflow.log_params(vars(options))
    train(
        options,
        lambda step, training, validation: mlflow.log_metrics(
            {"train/full_loss": training, "val/loss": validation}, step=step
        ),
    )
