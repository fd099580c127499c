#!/bin/bash
torchrun pretrain_gpt.py \
    --tensor-model-parallel-size 2 \
    --micro-batch-size 1 \
    --global-batch-size 256 \
    --train-iters 10000 \
    --weight-decay 0.1 \
    --start-weight-decay 0.04 \
    --end-weight-decay 0.4 \
    --weight-decay-incr-style cosine \
    --adam-beta1 0.9 \
    --adam-beta2 0.95 \
    --lr 6.0e-4 \
    --min-lr 6.0e-5 \
    --lr-decay-style cosine \
    --lr-warmup-fraction .01 \
    --apply-wd-to-qk-layernorm \
    --bf16
