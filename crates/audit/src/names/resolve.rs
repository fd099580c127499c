//! Names for the parameters of a checkpoint's optimizers.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Naming;
use super::candidates::{self, Candidate, ModuleOrder};
use super::kind::Kind;
use super::matching::{Match, in_order};
use super::path::without_wrappers;
use super::split::{SHARES, SPLITS};
use crate::case::Parameter;
use crate::checkpoint::{Checkpoint, Group, OptimizerState, ParameterId, ParameterState};

/// Names that are listed for parameters that cannot be told apart, over all of them: n parameters
/// of one shape would list n² names.
const MOST_NAMES: usize = 1 << 20;

/// A parameter of an optimizer before it has a name.
struct Slot<'a> {
    group: usize,
    id: &'a ParameterId,
    listed: Option<&'a str>,
    state: Option<&'a ParameterState>,
    shape: Option<Vec<usize>>,
}

/// What is known of a parameter's name.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    Name(String),
    Is(Match),
    Nothing,
}

/// A way to name every parameter, and who would have made it so.
struct Way {
    trainer: &'static str,
    /// The candidate of each parameter.
    assigned: Vec<usize>,
}

/// The names of all parameters, and for each optimizer how they were found.
///
/// The ways are tried in the order of how sure they are: names in the groups; states under names;
/// one group in the order of the modules; the splits of known trainers, if every shape agrees and
/// all that agree give the same names; shapes. A parameter that several tensors fit keeps its
/// candidates, and its kind where they share it.
pub fn resolve(checkpoint: &Checkpoint) -> (Vec<Naming>, Vec<Parameter>) {
    let (pool, order) = candidates::of(checkpoint);
    let model = Model::new(&pool);
    let mut namings = Vec::new();
    let mut parameters = Vec::new();
    for (index, optimizer) in checkpoint.optimizers.iter().enumerate() {
        let slots = slots(optimizer);
        let (naming, found) = identify(&slots, &pool, order);
        namings.push(naming);
        let named = slots.iter().zip(found).enumerate().map(|(place, (slot, found))| {
            let group = optimizer.groups.get(slot.group);
            parameter(slot, found, &model, group, (index, place))
        });
        parameters.extend(named);
    }
    (namings, parameters)
}

/// The parameters of an optimizer in the order of its groups, which is not that of its states.
fn slots(optimizer: &OptimizerState) -> Vec<Slot<'_>> {
    let states: HashMap<&ParameterId, &ParameterState> =
        optimizer.states.iter().map(|state| (&state.id, state)).collect();
    let mut slots = Vec::new();
    for (group, settings) in optimizer.groups.iter().enumerate() {
        let names = settings.names.as_deref().unwrap_or_default();
        let is_listed = names.len() == settings.parameters.len();
        for (place, id) in settings.parameters.iter().enumerate() {
            let state = states.get(id).copied();
            let listed = if is_listed { names.get(place).map(String::as_str) } else { None };
            slots.push(Slot { group, id, listed, state, shape: state.and_then(shape_of) });
        }
    }
    slots
}

/// The shape of a parameter from what an optimizer keeps for it.
fn shape_of(state: &ParameterState) -> Option<Vec<usize>> {
    // Tensors of the parameter's own shape, in PyTorch, apex, bitsandbytes and common forks.
    const LIKE: [&str; 10] = [
        "exp_avg",
        "momentum_buffer",
        "exp_avg_sq",
        "square_avg",
        "sum",
        "acc_delta",
        "exp_inf",
        "state1",
        "master_param",
        "max_exp_avg_sq",
    ];
    let like = LIKE.iter().find_map(|name| state.tensor(name));
    if let Some(tensor) = like {
        return Some(tensor.shape().to_vec());
    }
    // Adafactor keeps the means over the last axis and over the one before it.
    let factors = [("exp_avg_sq_row", "exp_avg_sq_col"), ("row_var", "col_var")];
    for (row, column) in factors {
        if let (Some(row), Some(column)) = (state.tensor(row), state.tensor(column)) {
            let mut shape = row.shape().to_vec();
            // torch keeps an axis of length 1 where transformers drops it.
            if shape.len() == column.shape().len() && shape.last() == Some(&1) {
                shape.pop();
            }
            shape.push(*column.shape().last()?);
            return Some(shape);
        }
    }
    let floats = state.tensors.iter().map(|named| &named.tensor);
    let floats = floats.filter(|tensor| tensor.dtype().is_float() && !tensor.shape().is_empty());
    floats.max_by_key(|tensor| tensor.elements()).map(|tensor| tensor.shape().to_vec())
}

/// Steps 1 to 4, and the last one.
fn identify(slots: &[Slot], pool: &[Candidate], order: ModuleOrder) -> (Naming, Vec<Found>) {
    let listed: Option<Vec<Found>> = (slots.iter())
        .map(|slot| slot.listed.map(|name| Found::Name(without_wrappers(name))))
        .collect();
    if let Some(found) = listed.filter(|found| !found.is_empty()) {
        return (Naming::Listed, found);
    }
    let keyed: Option<Vec<Found>> = (slots.iter())
        .map(|slot| match slot.id {
            ParameterId::Name(name) => Some(Found::Name(without_wrappers(name))),
            ParameterId::Index(_) => None,
        })
        .collect();
    if let Some(found) = keyed.filter(|found| !found.is_empty()) {
        return (Naming::Keyed, found);
    }
    if pool.is_empty() || slots.is_empty() {
        return (Naming::Unknown, vec![Found::Nothing; slots.len()]);
    }
    let groups = groups(slots);
    if order != ModuleOrder::Lost {
        let ways = ways(slots, &groups, pool);
        if let [way] = ways.as_slice() {
            let found = way.assigned.iter().map(|&place| Found::Is(Match::Only(place))).collect();
            return (naming(way.trainer, groups.len(), order), found);
        }
        if let Some(found) = agreement(&ways) {
            return (Naming::Shapes, found);
        }
        if let [_] = groups.as_slice()
            && let Some((naming, found)) = along_the_model(slots, pool, order)
        {
            return (naming, found);
        }
    }
    (Naming::Shapes, by_shapes(slots, &groups, pool))
}

fn naming(trainer: &'static str, groups: usize, order: ModuleOrder) -> Naming {
    match order {
        ModuleOrder::Family(family) => {
            Naming::Family { family, trainer: (groups > 1).then_some(trainer) }
        }
        _ if groups > 1 => Naming::Split { trainer },
        _ => Naming::Order,
    }
}

/// The slots of each group that has any.
fn groups(slots: &[Slot]) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (place, slot) in slots.iter().enumerate() {
        groups.entry(slot.group).or_default().push(place);
    }
    groups.into_values().collect()
}

/// The candidates of each group of a split, for the tensors that an optimizer was given.
fn split_up(
    pool: &[Candidate],
    holds: fn(&Candidate) -> bool,
    group: fn(&Candidate) -> usize,
) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (place, tensor) in pool.iter().enumerate() {
        if !tensor.is_buffer && holds(tensor) {
            groups.entry(group(tensor)).or_default().push(place);
        }
    }
    groups.into_values().collect()
}

/// All ways that fit in number, order and shape, each assignment once.
fn ways(slots: &[Slot], groups: &[Vec<usize>], pool: &[Candidate]) -> Vec<Way> {
    let mut ways: Vec<Way> = Vec::new();
    let mut consider = |trainer, members: &[Vec<usize>]| {
        if let Some(assigned) = assign(slots, groups, members, pool)
            && ways.iter().all(|way| way.assigned != assigned)
        {
            ways.push(Way { trainer, assigned });
        }
    };
    for share in &SHARES {
        let held = pool.iter().filter(|tensor| !tensor.is_buffer && (share.holds)(tensor));
        if held.count() != slots.len() {
            continue;
        }
        if groups.len() == 1 {
            consider(share.trainer, &split_up(pool, share.holds, |_| 0));
            continue;
        }
        for split in &SPLITS {
            consider(split.trainer, &split_up(pool, share.holds, split.group));
        }
    }
    let members = split_up(pool, |_| true, |_| 0);
    let members = members.first().map(Vec::as_slice).unwrap_or_default();
    if groups.len() > 1 && groups.len() == slots.len() {
        let each: Vec<Vec<usize>> = members.iter().map(|&place| vec![place]).collect();
        consider("one group for each tensor", &each);
    }
    // Groups of a trunk and a head, say. No trainer vouches for it, hence the last way, and only
    // where every shape is known.
    if ways.is_empty() && groups.len() > 1 && slots.iter().all(|slot| slot.shape.is_some()) {
        let mut rest = members;
        let mut runs = Vec::new();
        for group in groups {
            let (run, behind) = rest.split_at(group.len().min(rest.len()));
            runs.push(run.to_vec());
            rest = behind;
        }
        if rest.is_empty()
            && let Some(assigned) = assign(slots, groups, &runs, pool)
        {
            ways.push(Way { trainer: "consecutive modules", assigned });
        }
    }
    ways
}

/// The candidate of each slot, if the groups have the sizes and shapes of these members.
fn assign(
    slots: &[Slot],
    groups: &[Vec<usize>],
    members: &[Vec<usize>],
    pool: &[Candidate],
) -> Option<Vec<usize>> {
    if groups.len() != members.len() {
        return None;
    }
    let mut assigned = vec![0; slots.len()];
    for (group, members) in groups.iter().zip(members) {
        if group.len() != members.len() {
            return None;
        }
        for (&slot, &member) in group.iter().zip(members) {
            let shape = slots.get(slot)?.shape.as_ref();
            if shape.is_some_and(|shape| pool.get(member).is_none_or(|own| own.shape != *shape)) {
                return None;
            }
            *assigned.get_mut(slot)? = member;
        }
    }
    Some(assigned)
}

/// What several ways have in common; nothing if there is none.
fn agreement(ways: &[Way]) -> Option<Vec<Found>> {
    let first = ways.first()?;
    let slots = 0..first.assigned.len();
    Some(
        slots
            .map(|slot| {
                let all = ways.iter().filter_map(|way| way.assigned.get(slot).copied());
                let all: BTreeSet<usize> = all.collect();
                Found::Is(match all.len() {
                    1 => Match::Only(all.into_iter().next().unwrap_or_default()),
                    _ => Match::Among(all.into_iter().collect()),
                })
            })
            .collect(),
    )
}

/// One group, and tensors of the model that are not in it: frozen ones, or buffers whose names
/// are unknown.
fn along_the_model(
    slots: &[Slot],
    pool: &[Candidate],
    order: ModuleOrder,
) -> Option<(Naming, Vec<Found>)> {
    let shapes: Vec<Option<&[usize]>> = slots.iter().map(|slot| slot.shape.as_deref()).collect();
    for with_buffers in [false, true] {
        let members: Vec<usize> =
            (0..pool.len()).filter(|&place| with_buffers || !pool[place].is_buffer).collect();
        let own: Vec<&[usize]> =
            members.iter().map(|&place| pool[place].shape.as_slice()).collect();
        let most = MOST_NAMES / slots.len().max(1);
        let Some(matches) = in_order(&shapes, &own, most) else { continue };
        let is_sure = matches.iter().all(|found| matches!(found, Match::Only(_)));
        let found = matches.into_iter().map(|found| {
            Found::Is(match found {
                Match::Only(place) => Match::Only(members[place]),
                Match::Among(places) => {
                    Match::Among(places.into_iter().map(|place| members[place]).collect())
                }
            })
        });
        let naming = if is_sure { naming("", 1, order) } else { Naming::Shapes };
        return Some((naming, found.collect()));
    }
    None
}

/// Candidates by shape alone, narrowed by the splits under which each group has the right shapes.
fn by_shapes(slots: &[Slot], groups: &[Vec<usize>], pool: &[Candidate]) -> Vec<Found> {
    let members: Vec<Vec<usize>> = split_up(pool, |_| true, |_| 0);
    let everything = members.first().cloned().unwrap_or_default();
    let narrowed: Vec<Vec<Vec<usize>>> = (SPLITS.iter())
        .map(|split| split_up(pool, |_| true, split.group))
        .filter(|members| same_shapes(slots, groups, members, pool))
        .collect();
    let narrowed = match narrowed.is_empty() {
        true => vec![vec![everything; groups.len()]],
        false => narrowed,
    };
    let mut found = vec![Found::Nothing; slots.len()];
    for (place, group) in groups.iter().enumerate() {
        let mut classes: BTreeMap<&[usize], BTreeSet<usize>> = BTreeMap::new();
        for members in &narrowed {
            for &member in members.get(place).into_iter().flatten() {
                if let Some(tensor) = pool.get(member) {
                    classes.entry(&tensor.shape).or_default().insert(member);
                }
            }
        }
        let mut sizes: HashMap<&[usize], usize> = HashMap::new();
        for &slot in group {
            if let Some(shape) = &slots[slot].shape {
                *sizes.entry(shape).or_default() += 1;
            }
        }
        for &slot in group {
            let Some(shape) = slots[slot].shape.as_deref() else { continue };
            let Some(class) = classes.get(shape) else { continue };
            let most = MOST_NAMES / sizes.get(shape).copied().unwrap_or(1).max(1);
            let among: Vec<usize> = class.iter().copied().take(most.max(8)).collect();
            found[slot] = Found::Is(match among.as_slice() {
                [only] => Match::Only(*only),
                _ => Match::Among(among),
            });
        }
    }
    found
}

/// Whether each group has as many parameters of each shape as the members of a split.
fn same_shapes(
    slots: &[Slot],
    groups: &[Vec<usize>],
    members: &[Vec<usize>],
    pool: &[Candidate],
) -> bool {
    groups.len() == members.len()
        && groups.iter().zip(members).all(|(group, members)| {
            let mut left: HashMap<&[usize], usize> = HashMap::new();
            for &member in members {
                *left.entry(&pool[member].shape).or_default() += 1;
            }
            group.len() == members.len()
                && group.iter().filter_map(|&slot| slots[slot].shape.as_deref()).all(|shape| {
                    left.get_mut(shape)
                        .and_then(|left| left.checked_sub(1).map(|fewer| *left = fewer))
                        .is_some()
                })
        })
}

/// The tensors of the model, by their names.
struct Model<'a> {
    pool: &'a [Candidate],
    places: HashMap<String, usize>,
    /// Length of its longest vector.
    longest: usize,
}

impl<'a> Model<'a> {
    fn new(pool: &'a [Candidate]) -> Self {
        let places = pool.iter().enumerate();
        let places = places.map(|(place, tensor)| (without_wrappers(&tensor.name), place));
        let vectors = pool.iter().filter(|tensor| tensor.shape.len() == 1);
        let longest = vectors.filter_map(|tensor| tensor.shape.first().copied()).max();
        Model { pool, places: places.collect(), longest: longest.unwrap_or(0) }
    }

    fn named(&self, name: &str) -> Option<&'a Candidate> {
        self.pool.get(*self.places.get(&without_wrappers(name))?)
    }

    fn all<'b>(&'b self, places: &'b [usize]) -> impl Iterator<Item = &'a Candidate> + 'b {
        places.iter().filter_map(|&place| self.pool.get(place))
    }

    /// The kind of a parameter that no tensor of the model fits. A vector that is longer than every
    /// vector of the model holds several tensors.
    fn nameless(&self, shape: &[usize]) -> Option<Kind> {
        match *shape {
            [length] if !self.pool.is_empty() && length > self.longest => Some(Kind::Flat),
            _ => Kind::of_shape(shape),
        }
    }
}

/// A parameter with all that is known of it.
fn parameter(
    slot: &Slot,
    found: Found,
    model: &Model,
    group: Option<&Group>,
    (optimizer, index): (usize, usize),
) -> Parameter {
    let (name, candidates) = match &found {
        // As the model spells it, which may keep a wrapper.
        Found::Name(name) => {
            let own = model.named(name).map(|own| own.name.clone());
            (Some(own.unwrap_or_else(|| name.clone())), Vec::new())
        }
        Found::Is(Match::Only(place)) => {
            (model.all(&[*place]).next().map(|own| own.name.clone()), Vec::new())
        }
        Found::Is(Match::Among(places)) => {
            (None, model.all(places).map(|own| own.name.clone()).collect())
        }
        Found::Nothing => (None, Vec::new()),
    };
    let weights = name.as_deref().and_then(|name| model.named(name));
    let shape = slot.shape.clone().or_else(|| weights.map(|own| own.shape.clone()));
    let kind = match (&name, &found) {
        (Some(name), _) => match &shape {
            Some(shape) => Some(Kind::of(name, shape)),
            None => Kind::of_name(name),
        },
        (None, Found::Is(Match::Among(places))) => {
            let mut kinds = model.all(places).map(|own| own.kind);
            let first = kinds.next();
            first.filter(|first| kinds.all(|kind| kind == *first))
        }
        _ => shape.as_deref().and_then(|shape| model.nameless(shape)),
    };
    Parameter {
        name,
        candidates,
        optimizer,
        group: slot.group,
        index,
        shape,
        kind,
        lambda: group.and_then(|group| group.lambda),
        has_state: slot.state.is_some(),
    }
}
