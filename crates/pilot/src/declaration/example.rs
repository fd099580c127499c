//! A study file to begin with.

/// A commented study file: it can be run as soon as `train.py` lies beside it.
pub const EXAMPLE: &str = r#"# A study: one program, the axes that vary, what they mean.
# `wd study run DIR` runs it, `wd study status DIR` says where it stands, `wd report DIR` what was found.
title = "weight decay"

[trial]
# No shell: one word an item. {KEY} is a value of an axis; {home} the folder of this file; {dir} the trial's
# own folder, in which it starts; {seed}, {name}, {attempt}; {settings} a JSON file with all values.
command = [
    "python", "{home}/train.py",
    "--weight-decay={weight_decay}", "--lr={lr}", "--seed={seed}",
]
# Appended when an earlier attempt left this file; without it an interrupted trial begins anew.
# resume = ["--resume={previous}/last.pt"]
# stop_signal = "TERM"        # or INT, USR1: asks the program to end

[axes]                        # lists, a..b with both ends, log(LOW..HIGH,COUNT)
weight_decay = "0,0.03,0.1,0.3"
lr = [1e-3]
seed = "0..4"

[roles]                       # what makes it more than a table: which axis is λ, η, the seed
lambda = "weight_decay"
rate = "lr"
seed = "seed"

[metrics]
# from = "auto"               # JSON lines {"step": 10, "train/loss": 2.1} on standard output or in $WD_METRICS;
#                             # TensorBoard, W&B, MLflow, trackio, Lightning, … in the trial's folder
# train = "train/loss"        # recognised where the names are usual
# train_is = "fixed-set"      # only such a training loss can show that λ acts as a force; or batch, running-mean
# validation = "val/loss"
# last_step = 1000            # a run that ends before it is incomplete

[limits]
# attempts = 1                # failures after which a trial is left alone
# seconds = 3600              # the longest attempt
# cores = 1                   # of each trial; accelerators are shared out one each
# memory_gigabytes = 4

[inputs]                      # files that belong to what a trial is: another content, another trial
# files = ["train.py"]

# [environment]
# DATA = "/data/{name}"

# Seeds are added until the rule decides; fixed before the first trial runs.
# [looks]
# rule = "capped"             # or "anytime", for a study without a largest number of seeds
# seeds = 12
# baseline = 0.0
"#;
