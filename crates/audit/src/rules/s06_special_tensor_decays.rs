//! S06: tensors that their model treats apart decay like matrices.

use super::evidence::decays;
use super::words::{labels, listed};
use super::{Report, Rule};
use crate::case::{Case, Parameter};
use crate::finding::{Place, Severity};
use crate::names::Kind;

/// Parts of names, as the last or the last but one word of a path, and whose tensors they are.
const SPECIAL: [(&str, &str); 25] = [
    ("A_log", "a state-space model such as Mamba"),
    ("D", "a state-space model such as Mamba"),
    ("dt_bias", "a state-space model such as Mamba"),
    ("time_decay", "RWKV"),
    ("time_first", "RWKV"),
    ("logit_scale", "CLIP"),
    ("logit_bias", "SigLIP"),
    ("layer_scale", "a model with layer scales such as CaiT"),
    ("layer_scale_1", "a model with layer scales such as CaiT"),
    ("layer_scale_2", "a model with layer scales such as CaiT"),
    ("gamma_1", "a model with layer scales such as BEiT"),
    ("gamma_2", "a model with layer scales such as BEiT"),
    ("ls1", "a model with layer scales such as DINOv2"),
    ("ls2", "a model with layer scales such as DINOv2"),
    ("gamma", "a model with layer scales such as ConvNeXt"),
    ("cls_token", "a vision transformer"),
    ("class_token", "a vision transformer"),
    ("class_embedding", "a vision transformer"),
    ("reg_token", "a vision transformer"),
    ("register_tokens", "a vision transformer"),
    ("dist_token", "a vision transformer"),
    ("mask_token", "a vision transformer"),
    ("pos_embed", "a vision transformer"),
    ("relative_position_bias_table", "Swin"),
    ("router_scale", "a mixture of experts"),
];

pub(super) static RULE: Rule = Rule {
    id: "S06",
    name: "special-tensor-decays",
    severity: Severity::Warning,
    finds: "Tensors decay that their model treats apart: state matrices, logit scales, layer \
        scales, class tokens.",
    why: "These tensors are no weights of a sum. A_log is the logarithm of a rate, a logit scale \
        the logarithm of a temperature, a layer scale a small gain with a start of its own. Decay \
        pulls them to a value that means something: A = −1, temperature 1, a layer switched off. \
        Their authors mark them, and trainers that split by the number of axes do not look at the \
        mark.",
    seen: "Parameters with the names of such tensors lie in groups with λ above 0; some have two \
        axes or more, so that a test of axes takes them for matrices. This needs a saved \
        optimizer, and the names of its parameters.",
    mend: "Honour the mark of the model, or name the tensors:\
        \n\n    spare = lambda n, p: p.ndim < 2 or getattr(p, \"_no_weight_decay\", False) or n in \
        model.no_weight_decay()\
        \n\nPyTorch does not store such marks: a wrapper or a copy of the model loses them.",
    no_fault: "The table of positions of a language model (wpe) decays by most conventions and is \
        not reported, and neither is any of these tensors in a group with λ = 0.",
    cases: &["mamba#798", "mad-lab#5", "Fast-LLM#545", "timm#2713", "autogluon#2251"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    for subject in &case.subjects {
        let found: Vec<(&Parameter, Option<&str>)> = subject
            .parameters
            .iter()
            .filter(|one| decays(one))
            .filter_map(|one| {
                let family = family(one);
                (one.kind == Some(Kind::Special) || family.is_some()).then_some((one, family))
            })
            .collect();
        if found.is_empty() {
            continue;
        }
        let family = found.iter().find_map(|(_, family)| *family);
        let whose = family
            .map_or("its model treats apart".to_owned(), |family| format!("{family} treats apart"));
        let names = labels(found.into_iter().map(|(parameter, _)| parameter));
        let message = match names.len() {
            1 => format!("{} decays, which {whose}.", listed(&names)),
            _ => format!("{} decay, which {whose}.", listed(&names)),
        };
        let fix = "Put these tensors into the group with weight_decay = 0, by name.".to_owned();
        report.add(Place::file(&subject.checkpoint.path), message, fix, names);
    }
}

/// The family of models that treats this tensor apart.
fn family(parameter: &Parameter) -> Option<&'static str> {
    let name = parameter.name.as_deref()?;
    // Gains and biases of a normalisation are called gamma too, in code from TensorFlow.
    let is_ordinary = matches!(parameter.kind, Some(Kind::Norm | Kind::Embedding | Kind::Adapter));
    let mut ends = name.rsplit('.').take(2).filter(|_| !is_ordinary);
    ends.find_map(|end| {
        // A single capital letter is a tensor's own name, never that of a module.
        let is_last = name.ends_with(end);
        let known = SPECIAL.iter().find(|(part, _)| *part == end && (is_last || part.len() > 1))?;
        Some(known.1)
    })
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::names::Kind;
    use crate::rules::testing::*;

    const MAMBA: &[Entry] = &[
        ("layers.0.mixer.A_log", &[8, 16], Kind::Special),
        ("layers.0.mixer.D", &[8], Kind::Special),
    ];
    const POSITIONS: &[Entry] = &[("wpe.weight", &[16, 4], Kind::Position)];

    /// A split by axes takes A_log for a matrix.
    pub(crate) fn fault() -> Case {
        one(adamw(&[(0.1, &[MATRICES, &MAMBA[..1]]), (0.0, &[NORMS, &MAMBA[1..]])]))
    }

    /// Positions of a language model decay, the tensors of Mamba are spared.
    pub(crate) fn look_alike() -> Case {
        one(adamw(&[(0.1, &[MATRICES, POSITIONS]), (0.0, &[NORMS, MAMBA])]))
    }

    #[test]
    fn the_family_is_named() {
        let [finding] = &findings_of("S06", &fault())[..] else { panic!("one finding") };
        assert_eq!(
            finding.message,
            "`layers.0.mixer.A_log` decays, which a state-space model such as Mamba treats apart."
        );
        let swin: &[Entry] =
            &[("layers.0.attn.relative_position_bias_table", &[9, 2], Kind::Position)];
        let case = one(adamw(&[(0.1, &[MATRICES, swin]), (0.0, &[NORMS])]));
        assert_eq!(findings_of("S06", &case).len(), 1);
    }
}
