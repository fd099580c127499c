//! Which arms belong in one figure, how they are called there, and which colour they have
//! everywhere.

use std::cmp::Reverse;

use crate::{Analysis, Arm, Comparison, ComparisonKind};
use wd_decay::{ScheduleKind, Unit};

use wd_page::figure::Colour;
use wd_page::number;

/// Arms that are drawn together: equal but for λ. A study without different λ is one group of all
/// its arms.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group {
    /// What sets this group apart from the others of the study; empty when it is the only one.
    pub(crate) name: String,
    /// Indices into [`Analysis::arms`], by rising λ.
    pub(crate) arms: Vec<usize>,
}

impl Group {
    /// The name, ready to follow other words.
    pub(crate) fn suffix(&self) -> String {
        if self.name.is_empty() { String::new() } else { format!(", {}", self.name) }
    }
}

/// An analysis, arranged for drawing.
#[derive(Debug)]
pub(crate) struct Study<'a> {
    pub(crate) analysis: &'a Analysis,
    /// Groups, the one with most to show first.
    pub(crate) groups: Vec<Group>,
    colours: Vec<Colour>,
    labels: Vec<String>,
}

impl<'a> Study<'a> {
    /// What the runs' data are counted in.
    pub(crate) fn unit(&self) -> Unit {
        let setup = self.analysis.arms.first().and_then(|arm| arm.setup.as_ref());
        setup.map_or(Unit::Token, |setup| setup.unit)
    }

    /// What the runs' losses are in.
    pub(crate) fn loss_unit(&self) -> &str {
        let first = self.analysis.arms.first();
        first.map_or("nats", |arm| &arm.loss_unit)
    }

    /// Arranges the arms of an analysis.
    pub(crate) fn new(analysis: &'a Analysis) -> Self {
        let arms = &analysis.arms;
        let mut groups = groups_by_setting(arms);
        // Where λ never differs at equal settings, something else was studied: all arms are set
        // side by side.
        let by_lambda = groups.iter().any(|group| group.arms.len() > 1);
        if !by_lambda {
            groups = vec![Group { name: String::new(), arms: (0..arms.len()).collect() }];
        }
        groups.retain(|group| !group.arms.is_empty());
        let spoken_of = analysis.verdict.baseline;
        groups.sort_by_key(|group| {
            let members = || group.arms.iter().map(|index| &arms[*index]);
            let seeds: usize = members().map(|arm| arm.seeds.len()).sum();
            let compared = group.arms.len() > 1 && members().any(|arm| arm.lambda == 0.0);
            let decaying = members().any(|arm| arm.schedule != Some(ScheduleKind::Constant));
            // What the verdict speaks of is what the figures show.
            let is_spoken_of = spoken_of.is_some_and(|baseline| group.arms.contains(&baseline));
            Reverse((is_spoken_of, compared && decaying, compared, group.arms.len(), seeds))
        });
        let (colours, labels) = if by_lambda {
            let lambdas: Vec<f64> = arms.iter().map(|arm| arm.lambda).collect();
            let labels =
                lambdas.iter().map(|lambda| format!("λ = {}", number::short(*lambda))).collect();
            (Colour::by_lambda(&lambdas), labels)
        } else {
            (Colour::sequence(arms.len()), distinguishing_labels(arms))
        };
        Self { analysis, groups, colours, labels }
    }

    /// The arms of a group, with their indices.
    pub(crate) fn arms(&self, group: &Group) -> Vec<(usize, &'a Arm)> {
        group.arms.iter().map(|index| (*index, &self.analysis.arms[*index])).collect()
    }

    /// Colour of an arm in every figure.
    pub(crate) fn colour(&self, arm: usize) -> Colour {
        self.colours[arm]
    }

    /// Name of an arm among those of its group.
    pub(crate) fn label(&self, arm: usize) -> &str {
        &self.labels[arm]
    }

    /// The comparison of an arm with λ = 0 at equal settings.
    pub(crate) fn comparison(&self, arm: usize) -> Option<&'a Comparison> {
        let mut all = self.analysis.comparisons.iter();
        all.find(|comparison| {
            comparison.arm == arm && comparison.kind == ComparisonKind::SameSettings
        })
    }

    /// The group whose arms trained under a schedule that is, or is not, constant, and has most to
    /// show.
    pub(crate) fn group_with(&self, constant: bool) -> Option<&Group> {
        self.groups.iter().find(|group| {
            group.arms.iter().any(|index| {
                (self.analysis.arms[*index].schedule == Some(ScheduleKind::Constant)) == constant
            })
        })
    }

    /// How the learning rate of a group runs, in words.
    pub(crate) fn schedule(&self, group: &Group) -> String {
        let mut all: Vec<&str> = Vec::new();
        for (_, arm) in self.arms(group) {
            let described = match &arm.setup {
                Some(setup) => setup.schedule_description.as_str(),
                None => "as the program of these runs had it",
            };
            if !all.contains(&described) {
                all.push(described);
            }
        }
        all.join("; ")
    }
}

fn groups_by_setting(arms: &[Arm]) -> Vec<Group> {
    let schedules_differ = arms.iter().any(|arm| arm.schedule != arms[0].schedule);
    let rates_differ = arms.iter().any(|arm| arm.peak_learning_rate != arms[0].peak_learning_rate);
    let mut groups: Vec<(usize, Group)> = Vec::new();
    for (index, arm) in arms.iter().enumerate() {
        match groups.iter_mut().find(|(first, _)| same_setting(&arms[*first], arm)) {
            Some((_, group)) => group.arms.push(index),
            None => {
                let mut name = Vec::new();
                if schedules_differ {
                    name.extend(arm.schedule.map(|kind| kind.to_string()));
                }
                if let (true, Some(rate)) = (rates_differ, arm.peak_learning_rate) {
                    name.push(format!("peak LR {}", number::short(rate)));
                }
                name.extend(arm.settings.iter().map(|(key, value)| format!("{key} = {value}")));
                groups.push((index, Group { name: name.join(", "), arms: vec![index] }));
            }
        }
    }
    let mut groups: Vec<Group> = groups.into_iter().map(|(_, group)| group).collect();
    for group in &mut groups {
        group.arms.sort_by(|a, b| arms[*a].lambda.total_cmp(&arms[*b].lambda));
    }
    groups
}

/// The labels of arms without the λ that all of them begin with.
fn distinguishing_labels(arms: &[Arm]) -> Vec<String> {
    let parts = || arms.iter().map(|arm| arm.label.split_once(", "));
    let head = parts().next().flatten().map(|(head, _)| head);
    let shared = head.is_some() && parts().all(|part| part.map(|(head, _)| head) == head);
    arms.iter()
        .zip(parts())
        .map(|(arm, part)| match part {
            Some((_, tail)) if shared && arms.len() > 1 => tail.to_owned(),
            _ => arm.label.clone(),
        })
        .collect()
}

/// Equal but for λ.
fn same_setting(a: &Arm, b: &Arm) -> bool {
    a.schedule == b.schedule
        && a.peak_learning_rate == b.peak_learning_rate
        && same_method(a, b)
        && a.settings == b.settings
}

/// The same decay rule and optimizer, as far as they are known.
pub(crate) fn same_method(a: &Arm, b: &Arm) -> bool {
    let method = |arm: &Arm| arm.setup.as_ref().map(|setup| (setup.rule, setup.optimizer));
    method(a) == method(b)
}
