# train a small GPT on characters; wd: ignore[D04]
out_dir = 'out-shakespeare-char'
eval_interval = 250
eval_iters = 200
always_save_checkpoint = False
dataset = 'shakespeare_char'
gradient_accumulation_steps = 1 * 2
batch_size = 64
block_size = 256 # context of up to 256 previous characters
n_layer = 6
learning_rate = 1e-3
max_iters = 5000
lr_decay_iters = 5000
min_lr = 1e-4
beta2 = 0.99
warmup_iters = 100
weight_decay = 2e-1 # wd: ignore[S01, T01]
