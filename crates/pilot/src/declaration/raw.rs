//! `study.toml` as it is written; what follows from it is the
//! [`Declaration`](super::Declaration).

use std::collections::BTreeMap;

use serde::Deserialize;
use wd_lab::TrainingLoss;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub(super) title: Option<String>,
    pub(super) trial: RawTrial,
    pub(super) axes: toml::Table,
    pub(super) roles: RawRoles,
    #[serde(default)]
    pub(super) metrics: RawMetrics,
    #[serde(default)]
    pub(super) limits: RawLimits,
    #[serde(default)]
    pub(super) environment: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) inputs: RawInputs,
    pub(super) looks: Option<RawLooks>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTrial {
    pub(super) command: Vec<String>,
    #[serde(default)]
    pub(super) resume: Vec<String>,
    #[serde(default)]
    pub(super) folder: Option<String>,
    #[serde(default)]
    pub(super) stop_signal: StopSignal,
}

/// How a trial is asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub(crate) enum StopSignal {
    #[default]
    #[serde(rename = "TERM")]
    Terminate,
    #[serde(rename = "INT")]
    Interrupt,
    #[serde(rename = "USR1")]
    User1,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRoles {
    pub(super) lambda: String,
    pub(super) rate: Option<String>,
    pub(super) seed: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawMetrics {
    pub(super) from: Option<String>,
    pub(super) regex: Vec<String>,
    pub(super) train: Option<String>,
    pub(super) train_is: Option<TrainingLoss>,
    pub(super) validation: Option<String>,
    pub(super) last_step: Option<u64>,
    pub(super) pair_tolerance: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawLimits {
    pub(super) attempts: usize,
    pub(super) seconds: Option<f64>,
    pub(super) grace_seconds: f64,
    pub(super) heartbeat_seconds: f64,
    pub(super) cores: usize,
    pub(super) memory_gigabytes: Option<f64>,
}

impl Default for RawLimits {
    fn default() -> Self {
        RawLimits {
            attempts: 1,
            seconds: None,
            // What W&B's agent waits before it kills.
            grace_seconds: 30.0,
            heartbeat_seconds: 10.0,
            cores: 1,
            memory_gigabytes: None,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawInputs {
    pub(super) files: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLooks {
    pub(super) rule: RawRule,
    pub(super) seeds: Option<u64>,
    pub(super) baseline: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RawRule {
    Capped,
    Anytime,
}
