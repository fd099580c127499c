_base_ = ['../_base_/default_runtime.py']
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=0.0001, betas=(0.9, 0.999), weight_decay=0.05),
    paramwise_cfg=dict(
        norm_decay_mult=0.0,
        bias_decay_mult=0.5,
        custom_keys={
            '.absolute_pos_embed': dict(decay_mult=0.0),
            'backbone': dict(lr_mult=0.1, decay_mult=2.0),
        }))
param_scheduler = [dict(type='MultiStepLR', milestones=[8, 11])]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=90 * 1000)
train_dataloader = dict(batch_size=2)
model = build_model(depth=50)
