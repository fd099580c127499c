//! What lies where in the object of a file: model, optimizers, schedules, clocks, configurations.

use std::collections::HashSet;
use std::path::Path;

use crate::file::pickle::Object;

use super::model::{self, Model};
use super::{Checkpoint, Clock, Embedded, SchedulerState, Value, Writer, optimizer, writer};

/// Where models lie, in the order in which they are looked for.
const MODELS: [&str; 15] = [
    "state.model",
    "state_dict",
    "model_state_dict",
    "model.state_dict",
    "model",
    "module",
    "model_state",
    "net",
    "network",
    "weights",
    "params",
    "student",
    "encoder",
    "generator",
    "model_weights",
];

/// Where moving averages of weights lie. They are not what an optimizer updates.
const AVERAGES: [&str; 8] = [
    "state_dict_ema",
    "ema",
    "ema_state_dict",
    "model_ema",
    "ema_model",
    "ema_weights",
    "model_ema_state_dict",
    "teacher",
];

/// Where optimizers lie.
const OPTIMIZERS: [&str; 10] = [
    "state.optimizers",
    "optimizer_states",
    "last_optimizer_state",
    "optimizer",
    "optimizers",
    "optimizer_state_dict",
    "optimizer_state",
    "optim",
    "optim_state_dict",
    "opt",
];

/// Where schedules lie.
const SCHEDULERS: [&str; 11] = [
    "state.schedulers",
    "lr_schedulers",
    "lr_scheduler",
    "scheduler",
    "schedulers",
    "param_schedulers",
    "opt_param_scheduler",
    "scheduler_state_dict",
    "lr_scheduler_state_dict",
    "lr_scheduler_state",
    "sched",
];

/// Counts of steps.
const CLOCKS: [&str; 15] = [
    "global_step",
    "iter_num",
    "iteration",
    "step",
    "steps",
    "step_count",
    "steps_run",
    "num_updates",
    "global_steps",
    "train_steps",
    "meta.iter",
    "extra_state.train_iterator.iterations_in_epoch",
    "state.timestamp.Timestamp.batch",
    "iter",
    "n_iter",
];

/// Where configurations lie.
const CONFIGURATIONS: [&str; 19] = [
    "args",
    "hyper_parameters",
    "datamodule_hyper_parameters",
    "config",
    "cfg",
    "ds_config",
    "train_args",
    "model_args",
    "model_config",
    "meta.cfg",
    "hparams",
    "training_args",
    "trainer_args",
    "opt_args",
    "options",
    "parameters",
    "hyperparameters",
    "settings",
    "cli_args",
];

/// Keys that say nothing of weights or decay.
const SILENT: [&str; 9] = [
    "optimizer_history",
    "loops",
    "callbacks",
    "rng",
    "scaler",
    "amp_scaler",
    "message_hub",
    "rng_state",
    "buffer_names",
];

impl Checkpoint {
    /// Adds what an object of a file holds. The first model that is met is the model.
    pub(super) fn absorb(&mut self, root: Object<'_>, file: &Path) {
        let (writer, version) = writer::recognise(root);
        if self.writer == Writer::Unknown {
            self.writer = writer;
            self.writer_version = version;
        }
        if optimizer::is_optimizer(root) {
            self.optimizers.extend(optimizer::read_all(root, None, &mut self.remarks));
            return;
        }
        if writer == Writer::HuggingFaceTrainer || is_namespace(root) {
            let key = root.class().map_or("root", |(_, name)| name).to_owned();
            self.embed(file, key, root.to_value());
            return;
        }
        self.absorb_optimizers(root);
        self.absorb_schedulers(root);
        self.absorb_clocks(root);
        for key in CONFIGURATIONS {
            let value = root.at_path(key).filter(|value| !value.is_tensor());
            if let Some(value) = value {
                self.embed(file, key.to_owned(), value.to_value());
            }
        }
        self.absorb_model(root);
        self.note_unread(root);
    }

    /// Says which keys of a file were not looked into.
    fn note_unread(&mut self, root: Object<'_>) {
        if self.writer == Writer::StateDict || !root.is_table() || model::is_module(root) {
            return;
        }
        let paths = MODELS.iter().chain(&OPTIMIZERS).chain(&SCHEDULERS).chain(&CLOCKS);
        let known: HashSet<&str> = paths
            .chain(&AVERAGES)
            .chain(&CONFIGURATIONS)
            .chain(&SILENT)
            .filter_map(|path| path.split('.').next())
            .collect();
        let items = root.items();
        let unread: Vec<&str> = items
            .iter()
            .filter(|(_, value)| value.is_table() || value.is_sequence() || value.is_tensor())
            .filter_map(|(key, _)| key.text())
            .filter(|key| !known.contains(key))
            .collect();
        if let Some(remark) = listed("Keys that are not read: ", &unread) {
            self.remarks.push(remark);
        }
    }

    fn embed(&mut self, file: &Path, key: String, value: Value) {
        let holds = match &value {
            Value::Table(table) => !table.is_empty(),
            // mmengine keeps its configuration as the text of a Python file.
            Value::Text(text) => !text.trim().is_empty(),
            _ => false,
        };
        if holds {
            self.embedded.push(Embedded { file: file.to_owned(), key, value });
        }
    }

    fn absorb_optimizers(&mut self, root: Object<'_>) {
        for key in OPTIMIZERS {
            let Some(value) = root.at_path(key) else { continue };
            let found = optimizer::read_all(value, None, &mut self.remarks);
            if !found.is_empty() {
                self.optimizers.extend(found);
                return;
            }
        }
    }

    fn absorb_schedulers(&mut self, root: Object<'_>) {
        let tables = SCHEDULERS.iter().filter_map(|key| root.at_path(key)).find_map(|value| {
            let listed: Vec<Value> = match value.is_sequence() {
                true => value.elements().map(Object::to_value).collect(),
                false => vec![value.to_value()],
            };
            let tables: Vec<_> = listed.into_iter().filter_map(optimizer::settings).collect();
            (!tables.is_empty()).then_some(tables)
        });
        for settings in tables.into_iter().flatten() {
            self.absorb_scheduler(settings);
        }
    }

    /// Adds a schedule, and its own count of steps as a clock.
    pub(super) fn absorb_scheduler(&mut self, settings: Vec<(String, Value)>) {
        let counts = ["last_epoch", "num_steps", "_step_count"];
        let clock = counts.iter().find_map(|key| {
            let (name, value) = settings.iter().find(|(name, _)| name == key)?;
            let name = format!("scheduler.{name}");
            Some(Clock { name, steps: value.number()? })
        });
        self.clocks.extend(clock);
        self.schedulers.push(SchedulerState { settings });
    }

    fn absorb_clocks(&mut self, root: Object<'_>) {
        for key in CLOCKS {
            let steps = root.at_path(key).and_then(Object::number).filter(|x| x.is_finite());
            if let Some(steps) = steps {
                self.add_clock(key, steps);
            }
        }
        let updates = root.get("optimizer_history").and_then(|list| list.elements().last());
        let updates = updates.and_then(|last| last.get("num_updates")).and_then(Object::number);
        if let Some(steps) = updates {
            self.add_clock("optimizer_history.num_updates", steps);
        }
    }

    /// Adds a clock where none has its name.
    pub(super) fn add_clock(&mut self, name: &str, steps: f64) {
        if self.clocks.iter().all(|clock| clock.name != name) {
            self.clocks.push(Clock { name: name.to_owned(), steps });
        }
    }

    fn absorb_model(&mut self, root: Object<'_>) {
        let averages = AVERAGES.iter().filter_map(|&key| Some((key, root.get(key)?)));
        let averages: Vec<_> =
            averages.filter(|(_, value)| value.is_table() || model::is_module(*value)).collect();
        if self.model.is_empty() {
            let model = MODELS.iter().filter_map(|key| root.at_path(key)).map(Model::read);
            match model.into_iter().find(|model| !model.tensors.is_empty()) {
                Some(model) => self.take(model),
                None => self.take_root(root, &averages),
            }
        }
        let has_own = !self.model.is_empty();
        for (key, value) in averages {
            let model = Model::read(value);
            if model.tensors.is_empty() {
                continue;
            }
            if has_own || !self.optimizers.is_empty() {
                self.remarks.push(format!(
                    "`{key}` holds a moving average of the weights, which no optimizer updates: it \
                     is left out."
                ));
            } else {
                self.remarks.push(format!(
                    "The weights are those of `{key}`, a moving average; the file has no others."
                ));
                self.take(model);
                return;
            }
        }
    }

    /// A state dictionary or a module at the top, or tensors under keys that nobody has named yet.
    fn take_root(&mut self, root: Object<'_>, averages: &[(&str, Object<'_>)]) {
        let is_known = !averages.is_empty() || !self.optimizers.is_empty();
        if is_known {
            return;
        }
        let model = Model::read(root);
        if self.writer == Writer::Unknown && !model.tensors.is_empty() {
            self.writer = Writer::StateDict;
        }
        self.take(model);
    }

    fn take(&mut self, model: Model) {
        if model.others > 0 && !model.tensors.is_empty() {
            let count = wd_page::number::counted(model.others as u64, "value");
            self.remarks.push(format!("{count} among the weights are no tensors: left out."));
        }
        self.note_unreadable(&model.unreadable);
        self.model = model.tensors;
        self.is_in_module_order = true;
    }

    /// Says which tensors cannot be read, the first few by name.
    pub(super) fn note_unreadable(&mut self, unreadable: &[String]) {
        let Some((first, others)) = unreadable.split_first() else { return };
        let more = match others.len() {
            0 => String::new(),
            more => format!(" and {} more", wd_page::number::count(more as u64)),
        };
        self.remarks.push(format!("Tensors that cannot be read: {first}{more}."));
    }
}

/// A remark with the first few of some names; nothing where there are none.
fn listed(begin: &str, names: &[&str]) -> Option<String> {
    let shown: Vec<String> =
        names.iter().take(8).map(|name| format!("`{}`", clipped(name))).collect();
    let more = match names.len().checked_sub(8) {
        None | Some(0) => String::new(),
        Some(more) => format!(" and {} more", wd_page::number::count(more as u64)),
    };
    (!shown.is_empty()).then(|| format!("{begin}{}{more}.", shown.join(", ")))
}

fn clipped(name: &str) -> String {
    name.chars().take(60).collect()
}

/// Whether it is `argparse`'s or another plain collection of settings.
fn is_namespace(root: Object<'_>) -> bool {
    let is_named = root.class().is_some_and(|(_, name)| name == "Namespace");
    root.is_object() && is_named
}
