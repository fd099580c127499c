//! axolotl's YAML: Hugging Face's arguments under names of its own.

use super::reading::Reading;
use super::{Declaration, Dialect, hugging_face};
use wd_decay::Declared;

pub(super) static DIALECT: Dialect = Dialect {
    name: "axolotl",
    matches: |clues| {
        let own = ["base_model", "micro_batch_size", "sequence_len", "val_set_size"];
        let shared =
            ["datasets", "adapter", "learning_rate", "lr_scheduler", "num_epochs", "optimizer"];
        // `micro_batch_size` is Megatron's too.
        if clues.has("base_model") { clues.keys(&own, &shared) } else { 0 }
    },
    read,
};

/// The rate is required, the schedule is a cosine unless stated, one sequence a device and step.
fn read(reading: &Reading) -> Declaration {
    let mut declaration = hugging_face::read_with(reading, "optimizer", 0.0);
    let peak = reading.number("learning_rate");
    declaration.rate = peak.map(Declared::stated);
    let per_device = reading.number("micro_batch_size").unwrap_or(1.0);
    let accumulation = reading.number("gradient_accumulation_steps").unwrap_or(1.0);
    declaration.batch = reading.number("world_size").map(|world| per_device * accumulation * world);
    let rate = peak.unwrap_or(0.0);
    declaration.schedule = hugging_face::schedule(reading, &declaration, "cosine", rate);
    if declaration.steps.is_none() {
        declaration.schedule_words =
            hugging_face::words_of_any_length(reading, &declaration, "cosine", rate);
        declaration.epochs = reading.number("num_epochs").filter(|epochs| *epochs > 0.0);
    }
    declaration.fine_tunes = true;
    declaration
}
