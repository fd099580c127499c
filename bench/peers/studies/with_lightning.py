"""Digits in Lightning, logged by its CSVLogger."""

import lightning
import torch
from lightning.pytorch.loggers import CSVLogger
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from digits import BATCH, STEPS, arguments, cosine, data, loss_on, network


class Digits(lightning.LightningModule):
    def __init__(self, lr, weight_decay, seed):
        super().__init__()
        self.save_hyperparameters()
        self.model = network(seed)
        self.training_set, self.validation_set = data()

    def forward(self, images):
        return self.model(images)

    def training_step(self, batch, _):
        return nn.functional.cross_entropy(self(batch[0]), batch[1])

    def on_train_batch_start(self, batch, index):
        if self.global_step % 50 == 0:
            self.losses(self.global_step)

    def on_train_end(self):
        self.losses(self.global_step)

    def losses(self, step):
        self.logger.log_metrics(
            {
                "train/full_loss": loss_on(self.model, self.training_set),
                "val/loss": loss_on(self.model, self.validation_set),
            },
            step,
        )

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(
            self.parameters(), lr=self.hparams.lr, weight_decay=self.hparams.weight_decay
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, cosine)
        return [optimizer], [{"scheduler": schedule, "interval": "step"}]


options = arguments()
lightning.seed_everything(options.seed)
loader = DataLoader(
    TensorDataset(*data()[0]),
    BATCH,
    shuffle=True,
    generator=torch.Generator().manual_seed(options.seed),
)
trainer = lightning.Trainer(
    max_steps=STEPS,
    accelerator="cpu",
    logger=CSVLogger("."),
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
)
trainer.fit(Digits(**vars(options)), loader)
