"""Writes the shards that the tests of DeepSpeed and Megatron read, with the standard library alone.

The layouts follow the sources of DeepSpeed (edaa722) and Megatron-LM (d98e8a6). No real checkpoint
of either was at hand. Classes of PyTorch are stood in for by classes of the same names, which is
all that a pickle says of them. Run in this folder; the output is the same every time.
"""
import argparse
import collections
import io
import pickle
import shutil
import struct
import sys
import types
import zipfile
from pathlib import Path


def module(name):
    made = types.ModuleType(name)
    sys.modules[name] = made
    return made


torch, utils, serialization = module("torch"), module("torch._utils"), module("torch.serialization")
metadata = module("torch.distributed.checkpoint.metadata")
filesystem = module("torch.distributed.checkpoint.filesystem")
for name in ("torch.distributed", "torch.distributed.checkpoint"):
    module(name)


def named(made, owner, name):
    made.__module__, made.__qualname__, made.__name__ = owner.__name__, name, name
    setattr(owner, name, made)
    return made


def nothing(*_):
    raise RuntimeError("a stand-in is called")


rebuild = named(types.FunctionType(nothing.__code__, globals()), utils, "_rebuild_tensor_v2")
FloatStorage = named(type("FloatStorage", (), {}), torch, "FloatStorage")


class Size(tuple):
    def __reduce__(self):
        return (Size, (tuple(self),))


named(Size, torch, "Size")


class Global:
    """Something that is pickled as its name."""

    def __init__(self, owner, name):
        self.name = f"{owner}.{name}"

    def __reduce__(self):
        return self.name


class Tensor:
    """A contiguous float32 tensor."""

    def __init__(self, values, shape=None):
        self.values = list(values)
        self.shape = tuple(shape) if shape is not None else (len(self.values),)

    def __reduce__(self):
        strides, step = [], 1
        for size in reversed(self.shape):
            strides.insert(0, step)
            step *= size
        storage = Storage(self.values)
        return rebuild, (storage, 0, self.shape, tuple(strides), False, collections.OrderedDict())


class Storage:
    def __init__(self, values):
        self.values = values


class Pickler(pickle.Pickler):
    def __init__(self, file):
        super().__init__(file, protocol=2)
        self.storages = []

    def persistent_id(self, value):
        if isinstance(value, Storage):
            self.storages.append(value.values)
            key = str(len(self.storages) - 1)
            return ("storage", FloatStorage, key, "cpu", len(value.values))
        return None


def archive(value):
    """What torch.save writes."""
    text = io.BytesIO()
    pickler = Pickler(text)
    pickler.dump(value)
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as file:
        def add(name, data):
            file.writestr(zipfile.ZipInfo(f"archive/{name}"), data)
        add("data.pkl", text.getvalue())
        add("byteorder", b"little")
        for at, values in enumerate(pickler.storages):
            add(f"data/{at}", struct.pack(f"<{len(values)}f", *values))
        add("version", b"3\n")
    return whole.getvalue()


def save(value, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(archive(value))


# The model: a decayed group of two matrices, a group of a gain and a bias.
SHAPES = [[("embedding.weight", (5, 3)), ("head.weight", (4, 3))], [("norm.weight", (3,)), ("head.bias", (4,))]]


def count(shape):
    product = 1
    for size in shape:
        product *= size
    return product


def value(group, at, kind):
    """Element `at` of a group's flat vector: exact in float32, and different everywhere."""
    return {"fp32": 1.0, "exp_avg": 1000.0, "exp_avg_sq": 2000.0}[kind] * 1.0 + 100.0 * group + at


def flat(group, kind):
    total = sum(count(shape) for _, shape in SHAPES[group])
    return [value(group, at, kind) for at in range(total)]


def group_settings(group):
    return {"lr": 1e-3, "weight_decay": [0.1, 0.0][group], "betas": (0.9, 0.95), "eps": 1e-8,
            "bias_correction": True, "params": [group]}


def sizes():
    return [collections.OrderedDict((name, Size(shape)) for name, shape in group) for group in SHAPES]


def module_state():
    state = collections.OrderedDict()
    for group, tensors in enumerate(SHAPES):
        start = 0
        for name, shape in tensors:
            values = flat(group, "fp32")[start:start + count(shape)]
            state[name] = Tensor(values, shape)
            start += count(shape)
    return state


DS_CONFIG = {"train_batch_size": 8, "optimizer": {"type": "AdamW", "params": {"lr": 1e-3, "weight_decay": 0.1}}}


def padded(values, world):
    while len(values) % world:
        values.append(0.0)
    return values


def zero_2(root, stage, world=2):
    save({"module": module_state(), "buffer_names": [], "param_shapes": sizes(), "frozen_param_shapes": None,
          "frozen_param_fragments": None, "shared_params": {}, "optimizer": None, "lr_scheduler": {"last_batch_iteration": 7},
          "ds_config": DS_CONFIG, "ds_version": "0.17.0", "global_steps": 7}, root / "global_step7/mp_rank_00_model_states.pt")
    (root / "latest").write_text("global_step7")
    for rank in range(world):
        state, parts = {}, []
        for group in range(2):
            cut = {}
            for kind in ("fp32", "exp_avg", "exp_avg_sq"):
                # The whole vector is padded to a multiple of twice the number of ranks.
                values = padded(flat(group, kind), 2 * world)
                size = len(values) // world
                cut[kind] = Tensor(values[rank * size:(rank + 1) * size])
            parts.append(cut["fp32"])
            state[group] = {"step": 7, "exp_avg": cut["exp_avg"], "exp_avg_sq": cut["exp_avg_sq"]}
        inner = {"base_optimizer_state": {"state": state, "param_groups": [group_settings(g) for g in range(2)]},
                 "single_partition_of_fp32_groups": parts, "zero_stage": stage, "group_paddings": [0, 0],
                 "partition_count": [world, world], "ds_version": "0.17.0"}
        save({"optimizer_state_dict": inner, "ds_config": DS_CONFIG, "ds_version": "0.17.0"},
             root / f"global_step7/bf16_zero_pp_rank_{rank}_mp_rank_00_optim_states.pt")


def zero_3(root, world=2):
    (root / "global_step7").mkdir(parents=True, exist_ok=True)
    (root / "latest").write_text("global_step7\n")
    for rank in range(world):
        save({"module": collections.OrderedDict(), "buffer_names": [], "param_shapes": sizes(), "shared_params": {},
              "ds_config": DS_CONFIG, "ds_version": "0.17.0", "global_steps": 7},
             root / f"global_step7/zero_pp_rank_{rank}_mp_rank_00_model_states.pt")
        groups, state = [], {}
        for group in range(2):
            cut = {}
            for kind in ("fp32", "exp_avg", "exp_avg_sq"):
                whole, mine, start = flat(group, kind), [], 0
                for _, shape in SHAPES[group]:
                    # Each tensor is split evenly over the ranks, the last part padded.
                    each = -(-count(shape) // world)
                    values = padded(whole[start:start + count(shape)], world)
                    mine += values[rank * each:(rank + 1) * each]
                    start += count(shape)
                cut[kind] = Tensor(mine)
            groups.append(cut["fp32"])
            state[group] = {"step": 7, "exp_avg": cut["exp_avg"], "exp_avg_sq": cut["exp_avg_sq"]}
        inner = {"optimizer_state_dict": {"state": state, "param_groups": [group_settings(g) for g in range(2)]},
                 "fp32_flat_groups": groups, "zero_stage": 3, "partition_count": world}
        save({"optimizer_state_dict": inner, "ds_config": DS_CONFIG, "ds_version": "0.17.0"},
             root / f"global_step7/zero_pp_rank_{rank}_mp_rank_00_optim_states.pt")


def universal(root):
    step = root / "global_step7_universal"
    for group, tensors in enumerate(SHAPES):
        start = 0
        for name, shape in tensors:
            end = start + count(shape)
            for kind in ("fp32", "exp_avg", "exp_avg_sq"):
                save({"param": Tensor(flat(group, kind)[start:end], shape)}, step / "zero" / name / f"{kind}.pt")
            start = end
    save({"param_shapes": sizes(), "ds_version": "0.17.0", "ds_config": DS_CONFIG, "global_steps": 7},
         step / "mp_rank_00_model_states.pt")
    save({"optimizer_state_dict": {"param_groups": [group_settings(g) for g in range(2)], "zero_stage": 1}},
         step / "zero/optimizer_state.pt")


def megatron(root):
    state = {at: {"step": 7, "exp_avg": Tensor([1000.0 + i for i in range(count(shape))], shape),
                  "exp_avg_sq": Tensor([2000.0 + i for i in range(count(shape))], shape)}
             for at, (_, shape) in enumerate(SHAPES[0] + SHAPES[1])}
    groups = [{"lr": 1e-3, "weight_decay": 0.1, "wd_mult": mult, "lr_mult": 1.0, "betas": (0.9, 0.95), "eps": 1e-8,
               "params": params} for mult, params in ((1.0, [0, 1]), (0.0, [2, 3]))]
    arguments = argparse.Namespace(weight_decay=0.1, lr=1e-3, adam_beta1=0.9, adam_beta2=0.95, global_batch_size=8)
    scheduler = {"max_lr": 1e-3, "min_lr": 1e-4, "lr_warmup_steps": 0, "lr_decay_steps": 100, "lr_decay_style": "cosine",
                 "num_steps": 56, "start_wd": 0.1, "end_wd": 0.1, "wd_incr_style": "constant", "wd_incr_steps": 100}
    save({"args": arguments, "checkpoint_version": 3.0, "iteration": 7, "model": module_state(),
          "optimizer": {"optimizer": {"state": state, "param_groups": groups}, "fp32_from_fp16_params": []},
          "opt_param_scheduler": scheduler}, root / "iter_0000007/mp_rank_00/model_optim_rng.pt")
    (root / "latest_checkpointed_iteration.txt").write_text("7")


class Plain:
    """An object whose state is its attributes."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)


def plain(owner, name):
    return named(type(name, (Plain,), {}), owner, name)


def torch_dist(root):
    names = {name: plain(metadata, name) for name in
             ("Metadata", "TensorStorageMetadata", "BytesStorageMetadata", "ChunkStorageMetadata", "MetadataIndex")}
    info = plain(filesystem, "_StorageInfo")
    data, keys, places = io.BytesIO(), {}, {}

    def put(key, item, offsets):
        start = data.tell()
        data.write(archive(item))
        index = names["MetadataIndex"](fqn=key, offset=None if offsets is None else Size(offsets), index=0)
        places[index] = info(relative_path="__0_0.distcp", offset=start, length=data.tell() - start)

    def tensor(key, shape, first, chunks):
        # Chunks along the first axis.
        parts, row, at = [], 0, 0
        each = count(shape[1:])
        for rows in chunks:
            offsets = (row,) + (0,) * (len(shape) - 1)
            part = (rows,) + tuple(shape[1:])
            put(key, Tensor([first + at + i for i in range(rows * each)], part), offsets)
            parts.append(names["ChunkStorageMetadata"](offsets=Size(offsets), sizes=Size(part)))
            row, at = row + rows, at + rows * each
        keys[key] = names["TensorStorageMetadata"](size=Size(shape), chunks=parts)

    # Homogeneous layers are stacked: the first axis is the layer.
    tensor("decoder.layers.mlp.linear_fc1.weight", (2, 4, 3), 1.0, (1, 1))
    tensor("decoder.final_layernorm.weight", (3,), 101.0, (3,))
    for kind, first in (("exp_avg", 1000.0), ("exp_avg_sq", 2000.0), ("fp32_param", 1.0)):
        tensor(f"optimizer.state.{kind}.decoder.layers.mlp.linear_fc1.weight", (2, 4, 3), first, (1, 1))
    common = {"args": argparse.Namespace(weight_decay=0.1, lr=1e-3), "checkpoint_version": 3.0, "iteration": 7,
              "optimizer": {"optimizer": {"param_groups": [
                  {"lr": 1e-3, "weight_decay": 0.1, "wd_mult": 1.0, "step": 7, "betas": (0.9, 0.95), "eps": 1e-8, "params": [0]},
                  {"lr": 1e-3, "weight_decay": 0.1, "wd_mult": 0.0, "step": 7, "betas": (0.9, 0.95), "eps": 1e-8, "params": [1]}]}},
              "opt_param_scheduler": {"start_wd": 0.1, "end_wd": 0.1, "num_steps": 56, "max_lr": 1e-3}}
    step = root / "iter_0000007"
    save(common, step / "common.pt")
    (step / "metadata.json").write_text('{"sharded_backend": "torch_dist", "sharded_backend_version": 1}')
    (step / "__0_0.distcp").write_bytes(data.getvalue())
    whole = names["Metadata"](state_dict_metadata=keys, planner_data=None, storage_data=places, version="1.0.0")
    (step / ".metadata").write_bytes(pickle.dumps(whole, protocol=4))


if __name__ == "__main__":
    shutil.rmtree("shards", ignore_errors=True)
    zero_2(Path("shards/zero-1"), 1)
    zero_2(Path("shards/zero-2"), 2)
    zero_3(Path("shards/zero-3"))
    universal(Path("shards/universal"))
    megatron(Path("shards/megatron"))
    torch_dist(Path("shards/torch-dist"))
