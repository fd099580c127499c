//! The names that programs give to λ, η, seeds, steps and losses.

use serde_json::Value;

/// The curve of the values that an Optuna trial reported on its way.
pub(crate) const INTERMEDIATE: &str = "intermediate value";

/// The value with which an Optuna trial ended.
pub(crate) const OBJECTIVE: &str = "objective";

const LAMBDA: [&str; 9] = [
    "weight_decay",
    "wd",
    "l2",
    "weightdecay",
    "adam_weight_decay",
    "muon_wd",
    "muon_weight_decay",
    "decoupled_weight_decay",
    "lambda",
];

const RATE: [&str; 9] = [
    "lr",
    "learning_rate",
    "learningrate",
    "peak_lr",
    "max_lr",
    "base_lr",
    "initial_lr",
    "peak_learning_rate",
    "init_lr",
];

const SEED: [&str; 6] =
    ["seed", "random_seed", "rng_seed", "manual_seed", "global_seed", "random_state"];

/// Curves that are a training loss, the likeliest first.
pub(crate) const TRAINING: [&str; 13] = [
    "train/loss",
    "train_loss",
    "loss/train",
    "training_loss",
    "train/train_loss",
    "training/loss",
    "train/loss_step",
    "train_loss_step",
    "loss",
    "epoch_loss",
    "train/epoch_loss",
    "train_loss_epoch",
    "train loss",
];

/// Curves that are a validation loss, the likeliest first.
pub(crate) const VALIDATION: [&str; 17] = [
    "val/loss",
    "val_loss",
    "validation/loss",
    "validation_loss",
    "valid/loss",
    "valid_loss",
    "eval/loss",
    "eval_loss",
    "loss/val",
    "loss/validation",
    "loss/valid",
    "test/loss",
    "test_loss",
    "loss/test",
    "validation/epoch_loss",
    INTERMEDIATE,
    OBJECTIVE,
];

/// Curves that are the norm of the gradient.
pub(crate) const GRADIENT_NORM: [&str; 5] =
    ["grad_norm", "train/grad_norm", "gradient_norm", "train/gradient_norm", "grad/norm"];

/// The last part of a key, in one spelling: `Optim/Weight-Decay` → `weight_decay`.
fn last_part(key: &str) -> String {
    let last = key.rsplit(['.', '/', ':']).next().unwrap_or(key);
    last.to_ascii_lowercase().replace(['-', ' '], "_")
}

/// May this setting be λ?
pub fn is_lambda(key: &str) -> bool {
    LAMBDA.contains(&last_part(key).as_str())
}

/// May this setting be the peak learning rate?
pub fn is_rate(key: &str) -> bool {
    RATE.contains(&last_part(key).as_str())
}

/// May this setting be the seed?
pub fn is_seed(key: &str) -> bool {
    SEED.contains(&last_part(key).as_str())
}

/// May this column of a table be the step?
pub(crate) fn is_step(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["step", "_step", "global_step", "iteration", "iter", "steps", "trainer/global_step"]
        .contains(&key.as_str())
}

/// May this column of a table name the run?
pub(crate) fn is_run(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["run", "run_id", "run_name", "run_uuid", "trial", "trial_id"].contains(&key.as_str())
}

/// Does a name sound like something that was measured, and not set?
pub(crate) fn is_measure(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["loss", "acc", "error", "perplexity", "ppl", "score", "bpb", "norm", "metric"]
        .iter()
        .any(|part| key.contains(part))
}

/// A whole number that is not negative.
pub(crate) fn whole(number: f64) -> Option<u64> {
    // 2⁵³: above it not every whole number is one of f64.
    let is_whole = (0.0..=9_007_199_254_740_992.0).contains(&number) && number.fract() == 0.0;
    is_whole.then_some(number as u64)
}

/// What Optuna's number of a parameter stands for: a choice, where its distribution lists them.
pub(crate) fn chosen(value: f64, distribution: &Value) -> Value {
    let choices = distribution.get("attributes").and_then(|all| all.get("choices"));
    let choice = choices
        .zip(whole(value))
        .and_then(|(choices, index)| choices.get(usize::try_from(index).ok()?));
    match choice {
        Some(choice) => choice.clone(),
        None => serde_json::Number::from_f64(value)
            .map_or_else(|| Value::String(value.to_string()), Value::Number),
    }
}

/// Settings that the name of a folder or file spells: `wd0.1-s2` → `wd` 0.1, `s` 2; `lr=3e-3` → `lr`
/// 0.003. Each is a word of letters followed by a number.
pub(crate) fn settings_of_name(name: &str) -> Vec<(String, f64)> {
    let mut found = Vec::new();
    let mut rest = name;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic()) {
        let word = &rest[start..];
        let end = word.find(|c: char| !c.is_ascii_alphabetic() && c != '_').unwrap_or(word.len());
        let (key, behind) = word.split_at(end);
        let number = behind.strip_prefix(['=', ':', '-']).filter(|_| !behind.starts_with('-'));
        let number = number.unwrap_or(behind);
        let length = number_length(number);
        if let Ok(value) = number[..length].parse::<f64>() {
            let key = key.trim_matches('_');
            if !key.is_empty() {
                found.push((key.to_owned(), value));
            }
        }
        rest = &number[length..];
    }
    found
}

/// The bytes that the number at the beginning of a text takes: `3e-3-s1` → 4.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits =
        |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut length = digits(0);
    if bytes.get(length) == Some(&b'.') && digits(length + 1) > 0 {
        length += 1 + digits(length + 1);
    }
    if length > 0 && matches!(bytes.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(length + 1), Some(b'-' | b'+')));
        let exponent = if length + 1 + sign <= bytes.len() { digits(length + 1 + sign) } else { 0 };
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_recognised_by_their_last_part() {
        assert!(is_lambda("optimizer/weight-decay") && is_lambda("Optim.WD"));
        assert!(!is_lambda("wd_schedule") && !is_lambda("weight_decay.kind"));
        assert!(is_rate("optim.lr") && is_seed("trainer.seed") && !is_seed("data_seed_offset"));
    }

    #[test]
    fn the_name_of_a_folder_spells_settings() {
        let found = |name: &str| settings_of_name(name);
        assert_eq!(found("wd0.1-s2"), [("wd".to_owned(), 0.1), ("s".to_owned(), 2.0)]);
        assert_eq!(found("lr=3e-3,wd=1e-4"), [("lr".to_owned(), 3e-3), ("wd".to_owned(), 1e-4)]);
        assert_eq!(found("weight_decay_0.3_seed_1").len(), 2);
        assert!(found("é7-").is_empty() && found("").is_empty());
    }

    #[test]
    fn a_choice_is_named() {
        let distribution = serde_json::json!({"attributes": {"choices": ["adam", "sgd"]}});
        assert_eq!(chosen(1.0, &distribution), "sgd");
        assert_eq!(chosen(0.5, &Value::Null), 0.5);
    }
}
