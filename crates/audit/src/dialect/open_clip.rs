//! open_clip's `params.txt`, and the arguments in its checkpoints.

use wd_decay::{DecayRule, Declared, OptimizerKind};

use super::reading::Reading;
use super::{Declaration, Dialect};

pub(super) static DIALECT: Dialect = Dialect {
    name: "open_clip",
    matches: |clues| {
        let own =
            ["accum_freq", "local_loss", "gather_with_grad", "lock_image", "train_num_samples"];
        let shared = ["wd", "beta1", "beta2", "precision", "warmup", "eps", "lr", "model"];
        if clues.has("wd") || clues.is_called(&["params.txt"]) {
            clues.keys(&own, &shared)
        } else {
            0
        }
    },
    read,
};

/// Defaults: λ 0.2, 5e-4; β and ε depend on the model (ViT: 0.9, 0.98).
fn read(reading: &Reading) -> Declaration {
    let mut declaration = Declaration::default();
    declaration.set_lambda(reading, "wd", Some(0.2));
    let is_vit =
        reading.text("model").is_none_or(|model| model.to_ascii_lowercase().contains("vit"));
    let default = if is_vit { (0.9, 0.98) } else { (0.9, 0.999) };
    declaration.betas = Some(reading.betas(("beta1", "beta2"), default));
    declaration.set_optimizer(reading.text("opt").unwrap_or("adamw"), None);
    declaration.set_rule(OptimizerKind::Adamw, DecayRule::Decoupled);
    declaration.rate =
        Some(reading.number("lr").map_or(Declared::by_default(5e-4), Declared::stated));
    let images = reading.number("batch_size").unwrap_or(64.0);
    let accumulation = reading.number("accum_freq").unwrap_or(1.0);
    let world = reading.number("world_size");
    declaration.batch = world.map(|world| images * accumulation * world);
    declaration.is_pure_bf16 = reading.text("precision").map(|precision| precision == "pure_bf16");
    declaration
}
