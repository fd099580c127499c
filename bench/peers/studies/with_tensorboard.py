"""Digits, logged by torch.utils.tensorboard.SummaryWriter."""

from torch.utils.tensorboard import SummaryWriter

from digits import arguments, train

options = arguments()
writer = SummaryWriter()
last = {}


def log(step, training, validation):
    writer.add_scalar("train/full_loss", training, step)
    writer.add_scalar("val/loss", validation, step)
    last.update(loss=validation)


train(options, log)
writer.add_hparams(vars(options), {"hparam/loss": last["loss"]})
writer.close()
