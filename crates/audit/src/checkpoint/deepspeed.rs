//! DeepSpeed's shards: ZeRO 1 to 3, and the universal checkpoint.
//!
//! The optimizer keeps one flat vector for each group, spread over the ranks. `param_shapes` of the
//! model's file says which tensors follow each other in it:
//!
//! - ZeRO 1 and 2 cut the whole vector into equal parts, one a rank, with padding at its end;
//! - ZeRO 3 cuts each tensor into equal parts, one a rank, each padded to ⌈n/ranks⌉ elements;
//! - the universal checkpoint keeps a file for each tensor, `zero/<name>/exp_avg.pt`.
//!
//! Written after the sources of DeepSpeed and held by files that a script makes after them; no real
//! checkpoint was at hand to test with.

use std::fs;
use std::path::{Path, PathBuf};

use crate::bytes::Bytes;
use crate::file::inside::inside;
use crate::file::pickle::{Object, Pickle};
use crate::file::torch_legacy;
use crate::file::torch_zip::TorchZip;
use crate::file::zip;
use crate::tensor::{Tensor, row_major};
use crate::{AuditError, Fault};

use super::find::ReadOptions;
use super::{
    Checkpoint, Format, Group, NamedTensor, OptimizerState, ParameterId, ParameterState, Value,
    Writer, configuration, index, optimizer, prefix,
};

const MODEL_STATES: &str = "_model_states.pt";
const OPTIMIZER_STATES: &str = "_optim_states.pt";
const UNIVERSAL: &str = "zero";
/// What the universal checkpoint keeps of each tensor, and under which name the state has it.
const KINDS: [&str; 3] = ["fp32", "exp_avg", "exp_avg_sq"];
const MASTER: &str = "fp32";

/// The folder with the shards: the given one, or the one that `latest` names.
pub(super) fn shards(folder: &Path, options: &ReadOptions) -> Option<PathBuf> {
    if holds_shards(folder, options) {
        return Some(folder.to_owned());
    }
    let latest = folder.join("latest");
    let text = latest.is_file().then(|| index::read_text(&latest, options).ok()).flatten()?;
    let tag = std::str::from_utf8(&text).ok()?.trim();
    let inner = inside(folder, tag).ok()?;
    holds_shards(&inner, options).then_some(inner)
}

fn holds_shards(folder: &Path, options: &ReadOptions) -> bool {
    if !folder.is_dir() {
        return false;
    }
    let entries = configuration::entries(folder, options.limits).unwrap_or_default();
    let ends = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        name.ends_with(OPTIMIZER_STATES) || name.ends_with(MODEL_STATES)
    };
    entries.iter().any(ends)
}

/// Reads the shards of a folder.
pub(super) fn read(folder: &Path, options: &ReadOptions) -> Result<Checkpoint, AuditError> {
    let mut checkpoint = Checkpoint::empty(folder, Format::DeepSpeed);
    let entries = configuration::entries(folder, options.limits)?;
    let models = by_rank(&entries, MODEL_STATES);
    let states = by_rank(&entries, OPTIMIZER_STATES);
    let mut shapes = Vec::new();
    if let Some((_, path)) = models.first() {
        let pickle = open(path, options)?;
        checkpoint.absorb(pickle.root(), path);
        shapes = shapes_of(pickle.root());
    }
    checkpoint.writer = Writer::DeepSpeed;
    checkpoint.format = Format::DeepSpeed;
    if entries.iter().any(|path| is_second_model_rank(path)) {
        checkpoint.remarks.push(
            "The model is spread over several ranks (tensor or pipeline parallel): only what the \
             first of them holds is read."
                .to_owned(),
        );
    }
    let universal = folder.join(UNIVERSAL);
    if universal.is_dir() {
        read_universal(&mut checkpoint, &universal, &shapes, options)?;
    } else if !states.is_empty() {
        let pickles: Vec<Pickle> =
            states.iter().map(|(_, path)| open(path, options)).collect::<Result<_, _>>()?;
        let ranks: Vec<Object<'_>> =
            pickles.iter().filter_map(|pickle| pickle.root().get("optimizer_state_dict")).collect();
        let rebuilt = rebuild(&ranks, &shapes)
            .map_err(|fault| AuditError::Damaged { path: states[0].1.clone(), fault })?;
        checkpoint.adopt(rebuilt);
    }
    Ok(checkpoint)
}

fn open(path: &Path, options: &ReadOptions) -> Result<Pickle, AuditError> {
    let bytes = Bytes::open(path, options.access)?;
    let read = match zip::is_zip(&bytes) {
        true => TorchZip::read(&bytes, options.limits, options.verify).map(|file| file.pickle),
        false => torch_legacy::read(&bytes, options.limits).map(|(pickle, _)| pickle),
    };
    read.map_err(|fault| AuditError::Damaged { path: path.to_owned(), fault })
}

/// The files of the first model rank with an ending, in the order of their data rank.
fn by_rank(entries: &[PathBuf], ending: &str) -> Vec<(u64, PathBuf)> {
    let ranked = entries.iter().filter(|path| !is_second_model_rank(path)).filter_map(|path| {
        let name = path.file_name()?.to_str()?;
        let stem = name.strip_suffix(ending)?;
        let rank = stem.split_once("zero_pp_rank_").map_or("0", |(_, rest)| rest);
        let digits = rank.split('_').next().unwrap_or_default();
        Some((digits.parse().ok()?, path.clone()))
    });
    let mut ranked: Vec<(u64, PathBuf)> = ranked.collect();
    ranked.sort();
    ranked
}

fn is_second_model_rank(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let rank = name.split_once("mp_rank_").map(|(_, rest)| rest);
    let digits = rank.and_then(|rest| rest.split('_').next());
    digits.and_then(|digits| digits.parse::<u64>().ok()).is_some_and(|rank| rank > 0)
}

/// Names and shapes of one group, in the order of its flat vector.
type Shapes = Vec<(String, Vec<usize>)>;

fn shapes_of(root: Object<'_>) -> Vec<Shapes> {
    let groups = root.get("param_shapes").into_iter().flat_map(Object::elements);
    let shape = |size: Object<'_>| {
        let sizes = size.elements().map(|n| n.integer().and_then(|n| usize::try_from(n).ok()));
        sizes.collect::<Option<Vec<usize>>>()
    };
    let named = |group: Object<'_>| {
        let items = group.items().into_iter();
        items.filter_map(|(name, size)| Some((name.text()?.to_owned(), shape(size)?))).collect()
    };
    groups.map(named).collect()
}

/// What was put together: masters under their names, and the optimizer.
struct Rebuilt {
    masters: Vec<NamedTensor>,
    optimizer: OptimizerState,
    remarks: Vec<String>,
}

impl Checkpoint {
    /// The masters in 32 bits are the model; what the model's file has besides stays.
    fn adopt(&mut self, mut rebuilt: Rebuilt) {
        self.remarks.append(&mut rebuilt.remarks);
        prefix::strip_common(rebuilt.masters.iter_mut().map(|master| &mut master.name));
        rebuilt.optimizer.strip_prefixes();
        if !rebuilt.masters.is_empty() {
            let names: std::collections::HashSet<&str> =
                rebuilt.masters.iter().map(|master| master.name.as_str()).collect();
            let mut others = std::mem::take(&mut self.model);
            others.retain(|tensor| !names.contains(tensor.name.as_str()));
            drop(names);
            self.model = rebuilt.masters;
            self.model.append(&mut others);
            self.is_in_module_order = false;
            let remark = "The weights are the optimizer's copies in 32 bits.";
            self.remarks.push(remark.to_owned());
        }
        self.optimizers = vec![rebuilt.optimizer];
    }
}

/// A vector in parts, one a rank.
struct Flat {
    parts: Vec<Tensor>,
}

impl Flat {
    /// The part of each rank under a path of keys; nothing if a rank lacks it.
    fn of(ranks: &[Object<'_>], pick: impl Fn(Object<'_>) -> Option<Tensor>) -> Option<Flat> {
        let parts: Vec<Tensor> = ranks.iter().map(|rank| pick(*rank)).collect::<Option<_>>()?;
        let first = parts.first()?.dtype();
        let is_flat = |part: &Tensor| part.is_contiguous() && part.dtype() == first;
        parts.iter().all(is_flat).then_some(Flat { parts })
    }

    /// A run of elements that begins at `start` of the parts laid end to end.
    fn run(&self, start: usize, shape: &[usize]) -> Result<Tensor, Fault> {
        let length = shape.iter().try_fold(1_usize, |n, &size| n.checked_mul(size));
        let end = length.and_then(|length| length.checked_add(start)).ok_or_else(too_short)?;
        let mut pieces = Vec::new();
        let mut first = 0;
        for part in &self.parts {
            let last = first + part.elements();
            let (from, to) = (start.max(first), end.min(last));
            if from < to {
                pieces.push((part, from - first, to - first));
            }
            first = last;
        }
        if first < end {
            return Err(too_short());
        }
        self.join(&pieces, shape)
    }

    /// The tensor of which each part holds `each` elements from `start` on.
    fn interleaved(&self, start: usize, each: usize, shape: &[usize]) -> Result<Tensor, Fault> {
        let mut left: usize = shape.iter().product();
        let mut pieces = Vec::new();
        for part in &self.parts {
            let taken = left.min(each);
            let end = start.checked_add(taken).filter(|end| *end <= part.elements());
            pieces.push((part, start, end.ok_or_else(too_short)?));
            left -= taken;
        }
        self.join(&pieces, shape)
    }

    /// One piece stays where it lies; several are copied.
    fn join(&self, pieces: &[(&Tensor, usize, usize)], shape: &[usize]) -> Result<Tensor, Fault> {
        let Some(first) = self.parts.first() else { return Err(too_short()) };
        let (dtype, is_big) = (first.dtype(), first.is_big_endian());
        let strides = row_major(shape);
        if let [(part, start, _)] = pieces {
            let bytes = part.bytes().clone();
            return Tensor::view(bytes, dtype, *start, shape.to_vec(), strides, is_big);
        }
        let size = dtype.size();
        let mut whole = Vec::new();
        for (part, start, end) in pieces {
            let bytes = part.bytes().get(start * size..end * size).ok_or_else(too_short)?;
            whole.extend_from_slice(&bytes);
        }
        Tensor::view(Bytes::from(whole), dtype, 0, shape.to_vec(), strides, is_big)
    }
}

fn too_short() -> Fault {
    Fault::whole("the shards hold fewer elements than the shapes of the model ask for")
}

/// Puts the shards of all ranks together.
fn rebuild(ranks: &[Object<'_>], shapes: &[Shapes]) -> Result<Rebuilt, Fault> {
    let mut remarks = Vec::new();
    let first = ranks.first().ok_or_else(|| Fault::whole("it holds no optimizer"))?;
    let is_third = first.get("fp32_flat_groups").is_some();
    let (inner, masters) = match is_third {
        true => ("optimizer_state_dict", "fp32_flat_groups"),
        false => ("base_optimizer_state", "single_partition_of_fp32_groups"),
    };
    let base = first.get(inner).unwrap_or(*first);
    let mut read = optimizer::read_all(base, None, &mut remarks);
    let mut rebuilt = match read.is_empty() {
        true => OptimizerState::default(),
        false => read.swap_remove(0),
    };
    rebuilt.states.clear();
    if shapes.is_empty() {
        remarks.push(
            "The model's file with the shapes is missing: the flat vectors cannot be cut into \
             tensors."
                .to_owned(),
        );
        return Ok(Rebuilt { masters: Vec::new(), optimizer: rebuilt, remarks });
    }
    let mut copies = Vec::new();
    for (group, shapes) in shapes.iter().enumerate() {
        rebuilt.name_group(group, shapes);
        let master =
            Flat::of(ranks, |rank| rank.get(masters)?.elements().nth(group)?.tensor()?.ok());
        let moment = |name: &str| {
            Flat::of(ranks, |rank| state_of(rank.get(inner)?, group)?.get(name)?.tensor()?.ok())
        };
        let state = first.get(inner).and_then(|base| state_of(base, group));
        let step = state.and_then(|state| state.get("step")).and_then(Object::number);
        let flats = [
            (MASTER, master),
            ("exp_avg", moment("exp_avg")),
            ("exp_avg_sq", moment("exp_avg_sq")),
            ("momentum_buffer", moment("momentum_buffer")),
        ];
        cut(&flats, shapes, is_third, step, &mut copies, &mut rebuilt.states)?;
    }
    Ok(Rebuilt { masters: copies, optimizer: rebuilt, remarks })
}

/// The state of a group's flat vector, which has the group's number.
fn state_of<'a>(base: Object<'a>, group: usize) -> Option<Object<'a>> {
    let states = base.get("state")?.items();
    let is_it = |(key, _): &(Object<'a>, Object<'a>)| key.integer() == i64::try_from(group).ok();
    states.into_iter().find(is_it).map(|(_, state)| state)
}

/// Cuts the flat vectors of a group into its tensors.
fn cut(
    flats: &[(&str, Option<Flat>)],
    shapes: &Shapes,
    is_third: bool,
    step: Option<f64>,
    masters: &mut Vec<NamedTensor>,
    states: &mut Vec<ParameterState>,
) -> Result<(), Fault> {
    let mut start = 0_usize;
    for (name, shape) in shapes {
        let elements = shape.iter().try_fold(1_usize, |n, &size| n.checked_mul(size));
        let elements = elements.ok_or_else(too_short)?;
        let ranks = flats.iter().flat_map(|(_, flat)| flat).map(|flat| flat.parts.len());
        let each = elements.div_ceil(ranks.max().unwrap_or(1).max(1));
        let mut tensors = Vec::new();
        for (kind, flat) in flats {
            let Some(flat) = flat else { continue };
            let tensor = match is_third {
                true => flat.interleaved(start, each, shape)?,
                false => flat.run(start, shape)?,
            };
            match *kind {
                MASTER => masters.push(NamedTensor { name: name.clone(), tensor }),
                kind => tensors.push(NamedTensor { name: kind.to_owned(), tensor }),
            }
        }
        if !tensors.is_empty() {
            states.push(ParameterState { id: ParameterId::Name(name.clone()), step, tensors });
        }
        start = start.checked_add(if is_third { each } else { elements }).ok_or_else(too_short)?;
    }
    Ok(())
}

impl OptimizerState {
    /// The parameters of a group are those of its flat vector.
    fn name_group(&mut self, group: usize, shapes: &Shapes) {
        if self.groups.len() <= group {
            self.groups.resize_with(group + 1, Group::default);
        }
        let names: Vec<String> = shapes.iter().map(|(name, _)| prefix::plain(name)).collect();
        self.groups[group].parameters = names.iter().cloned().map(ParameterId::Name).collect();
        self.groups[group].names = Some(names);
    }
}

/// Reads `zero/<name>/…`.
fn read_universal(
    checkpoint: &mut Checkpoint,
    folder: &Path,
    shapes: &[Shapes],
    options: &ReadOptions,
) -> Result<(), AuditError> {
    let mut remarks = Vec::new();
    let settings = folder.join("optimizer_state.pt");
    let mut optimizer = OptimizerState::default();
    if settings.is_file() {
        let pickle = open(&settings, options)?;
        let mut read = optimizer::read_all(pickle.root(), None, &mut remarks);
        if !read.is_empty() {
            optimizer = read.swap_remove(0);
        }
    }
    for (group, shapes) in shapes.iter().enumerate() {
        optimizer.name_group(group, shapes);
    }
    let mut masters = Vec::new();
    for path in configuration::entries(folder, options.limits)? {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if !fs::metadata(&path).is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let mut tensors = Vec::new();
        for kind in KINDS {
            let file = path.join(format!("{kind}.pt"));
            if !file.is_file() {
                continue;
            }
            let pickle = open(&file, options)?;
            let root = pickle.root();
            let tensor = root.tensor().or_else(|| root.get("param")?.tensor());
            match tensor {
                Some(Ok(tensor)) if kind == MASTER => {
                    masters.push(NamedTensor { name: prefix::plain(name), tensor });
                }
                Some(Ok(tensor)) => tensors.push(NamedTensor { name: kind.to_owned(), tensor }),
                _ => remarks.push(format!("{} holds no tensor.", file.display())),
            }
        }
        let step = path.join("step.pt");
        let step = step.is_file().then(|| super::single::value(&step, options)).transpose()?;
        let step = step.as_ref().and_then(Value::number);
        if !tensors.is_empty() {
            let id = ParameterId::Name(prefix::plain(name));
            optimizer.states.push(ParameterState { id, step, tensors });
        }
    }
    checkpoint.adopt(Rebuilt { masters, optimizer, remarks });
    Ok(())
}
