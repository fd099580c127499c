"""Digits with transformers.Trainer, which keeps its log in trainer_state.json."""

import torch
from torch import nn
from transformers import Trainer, TrainingArguments

from digits import BATCH, STEPS, arguments, data, network


class Model(nn.Module):
    def __init__(self, seed):
        super().__init__()
        self.network = network(seed)

    def forward(self, images, labels=None):
        logits = self.network(images)
        loss = None if labels is None else nn.functional.cross_entropy(logits, labels)
        return {"loss": loss, "logits": logits}


class Digits(torch.utils.data.Dataset):
    def __init__(self, pair):
        self.images, self.labels = pair

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return {"images": self.images[index], "labels": self.labels[index]}


options = arguments()
training, validation = data()
trainer = Trainer(
    model=Model(options.seed),
    args=TrainingArguments(
        output_dir="out",
        max_steps=STEPS,
        per_device_train_batch_size=BATCH,
        per_device_eval_batch_size=2000,
        learning_rate=options.lr,
        weight_decay=options.weight_decay,
        lr_scheduler_type="cosine",
        optim="adamw_torch",
        seed=options.seed,
        eval_strategy="steps",
        eval_steps=50,
        logging_steps=50,
        eval_on_start=True,
        save_strategy="steps",
        save_steps=STEPS,
        report_to="none",
        use_cpu=True,
        disable_tqdm=True,
    ),
    train_dataset=Digits(training),
    eval_dataset={"validation": Digits(validation), "training": Digits(training)},
)
trainer.train()
