//! A group of parameters from its settings, whatever the optimizer calls them.

use super::{Group, ParameterId, Value};

/// Keys of λ: PyTorch's, LLaMA-Factory's Muon's, and that of optimizers of BERT's time.
const LAMBDA: [&str; 3] = ["weight_decay", "wd", "weight_decay_rate"];

/// A factor of λ in Megatron's groups.
const LAMBDA_FACTOR: &str = "wd_mult";

impl Group {
    /// Reads the settings that are known by their keys.
    pub(crate) fn from_settings(
        settings: Vec<(String, Value)>,
        parameters: Vec<ParameterId>,
        names: Option<Vec<String>>,
    ) -> Group {
        let value = |key: &str| settings.iter().rfind(|(name, _)| name == key).map(|(_, v)| v);
        let number = |key: &str| value(key).and_then(Value::number);
        let truth = |key: &str| value(key).and_then(Value::truth);
        let lambda_key = LAMBDA.into_iter().find(|key| number(key).is_some());
        // PyTorch's own optimizers, which alone say whether they decouple, read no factor; Megatron
        // has multiplied by it before it hands λ to one of them.
        let is_torch = truth("decoupled_weight_decay").is_some();
        let factor = number(LAMBDA_FACTOR).filter(|_| !is_torch).unwrap_or(1.0);
        let betas = match value("betas") {
            Some(Value::List(betas)) => match betas.as_slice() {
                [first, second, ..] => first.number().zip(second.number()),
                _ => None,
            },
            _ => number("beta1").zip(number("beta2")),
        };
        Group {
            lambda: lambda_key.and_then(number).map(|lambda| lambda * factor),
            lambda_key: lambda_key.map(str::to_owned),
            rate: number("lr"),
            initial_rate: number("initial_lr"),
            betas,
            epsilon: number("eps"),
            momentum: number("momentum"),
            dampening: number("dampening"),
            nesterov: truth("nesterov"),
            amsgrad: truth("amsgrad"),
            decoupled: truth("decoupled_weight_decay"),
            parameters,
            names,
            settings,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(settings: &[(&str, Value)]) -> Group {
        let settings = settings.iter().map(|(key, value)| (key.to_string(), value.clone()));
        Group::from_settings(settings.collect(), Vec::new(), None)
    }

    #[test]
    fn lambda_is_read_under_its_three_names_and_times_its_factor() {
        let megatron = group(&[
            ("wd_mult", Value::Number(0.0)),
            ("weight_decay", Value::Number(0.1)),
            ("betas", Value::List(vec![Value::Number(0.9), Value::Number(0.95)])),
        ]);
        assert_eq!(megatron.lambda, Some(0.0));
        assert_eq!(megatron.betas, Some((0.9, 0.95)));
        let torch = group(&[
            ("wd_mult", Value::Number(0.0)),
            ("weight_decay", Value::Number(0.1)),
            ("decoupled_weight_decay", Value::Bool(true)),
        ]);
        assert_eq!(torch.lambda, Some(0.1), "PyTorch's own AdamW ignores the factor");
        let muon = group(&[("wd", Value::Number(0.1))]);
        assert_eq!((muon.lambda, muon.lambda_key.as_deref()), (Some(0.1), Some("wd")));
        let bert = group(&[("weight_decay_rate", Value::Integer(0))]);
        assert_eq!(bert.lambda, Some(0.0));
        assert_eq!(group(&[("weight_decay", Value::Text("0.1".to_owned()))]).lambda, None);
    }
}
