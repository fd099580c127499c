//! Which runs, and which baseline, a visitor wants to see: what the address of a page holds.

use std::collections::{BTreeMap, BTreeSet};

use wd_page::Markup;

use super::runs::{LiveRun, Runs};
use crate::query::Query;

/// Settings with more values than this are numbers to be sorted by, not to be chosen.
const MOST_VALUES: usize = 60;
/// As many settings can be chosen.
const MOST_SETTINGS: usize = 12;

/// What a visitor wants to see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Choice {
    /// Settings with the value that runs must have.
    filters: BTreeMap<String, String>,
    /// The label of the arm that the others are compared with.
    pub(super) baseline: Option<String>,
}

impl Choice {
    /// From the query of an address: `where=optim.lr=0.003` and `baseline=λ=0.1`.
    pub(crate) fn read(query: &Query) -> Self {
        let filters = query.pairs().filter_map(|(name, value)| match name {
            "where" => {
                value.rsplit_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()))
            }
            name => name.strip_prefix("where:").map(|key| (key.to_owned(), value.to_owned())),
        });
        Choice { filters: filters.collect(), baseline: query.get("baseline").map(str::to_owned) }
    }

    /// The same as a query.
    pub(crate) fn query(&self) -> Query {
        let filters = self.filters.iter();
        let query = filters.fold(Query::default(), |query, (key, value)| {
            query.with(&format!("where:{key}"), value)
        });
        match &self.baseline {
            Some(baseline) => query.with("baseline", baseline),
            None => query,
        }
    }

    /// Are all runs wanted?
    pub(crate) fn wants_all(&self) -> bool {
        self.filters.is_empty()
    }

    /// Is this run wanted?
    pub(crate) fn wants(&self, run: &LiveRun) -> bool {
        let of = |key: &String| run.record.settings.get(key).map_or(ABSENT, String::as_str);
        self.filters.iter().all(|(key, value)| of(key) == value)
    }

    /// The fields by which runs are chosen.
    pub(crate) fn fields(&self, out: &mut Markup, runs: &Runs) {
        for (key, values) in varied(&runs.runs) {
            let chosen = self.filters.get(&key);
            let name = format!("where:{key}");
            out.open("label", &[]).text(&key);
            out.open("select", &[("name", &name)]);
            option(out, "", "all", chosen.is_none());
            for value in values {
                option(out, &value, &value, chosen == Some(&value));
            }
            out.close().close();
        }
    }
}

/// Where a run does not have a setting.
const ABSENT: &str = "–";

/// The settings in which runs differ, with their values in order.
pub(crate) fn varied(runs: &[LiveRun]) -> Vec<(String, Vec<String>)> {
    let keys: BTreeSet<&String> = runs.iter().flat_map(|run| run.record.settings.keys()).collect();
    let values = keys.into_iter().filter_map(|key| {
        let of = |run: &LiveRun| run.record.settings.get(key).cloned();
        let values: BTreeSet<String> =
            runs.iter().map(|run| of(run).unwrap_or_else(|| ABSENT.to_owned())).collect();
        let mut values: Vec<String> = values.into_iter().collect();
        let number = |value: &String| value.parse::<f64>().unwrap_or(f64::NEG_INFINITY);
        values.sort_by(|a, b| number(a).total_cmp(&number(b)));
        (2..=MOST_VALUES).contains(&values.len()).then(|| (key.clone(), values))
    });
    values.take(MOST_SETTINGS).collect()
}

/// One choice of a list.
pub(crate) fn option(out: &mut Markup, value: &str, name: &str, is_chosen: bool) {
    let chosen = [("value", value), ("selected", "")];
    out.element("option", if is_chosen { &chosen[..] } else { &chosen[..1] }, name);
}
