//! The order of modules in well-known families of models, for files that lose it.
//!
//! safetensors are sorted by type and name, while an optimizer's parameters are in the order in
//! which the model registers its modules. Each line of a family is one tensor of it in that order;
//! `*` stands for a number, and the lines of one layer repeat for each layer.

use super::candidates::Candidate;

/// A family: its name, the prefix of its layers, and its tensors before, in and behind them.
struct Family {
    name: &'static str,
    before: &'static [&'static str],
    layer: &'static str,
    within: &'static [&'static str],
    behind: &'static [&'static str],
}

/// Hugging Face's modules in the order of their constructors. The layers of Llama, GPT-2 and ViT were
/// read in `modeling_*.py` of transformers; BERT's, and the norms of queries and keys that relatives of
/// Llama have, are written from knowledge of them, and the shapes must agree before they are used.
const FAMILIES: [Family; 4] = [
    Family {
        name: "Llama",
        before: &["model.embed_tokens"],
        layer: "model.layers.",
        within: &[
            "self_attn.q_proj",
            "self_attn.k_proj",
            "self_attn.v_proj",
            "self_attn.o_proj",
            "self_attn.q_norm",
            "self_attn.k_norm",
            "mlp.gate_proj",
            "mlp.up_proj",
            "mlp.down_proj",
            "input_layernorm",
            "post_attention_layernorm",
            "pre_feedforward_layernorm",
            "post_feedforward_layernorm",
        ],
        behind: &["model.norm", "lm_head"],
    },
    Family {
        name: "GPT-2",
        before: &["transformer.wte", "transformer.wpe"],
        layer: "transformer.h.",
        within: &["ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj"],
        behind: &["transformer.ln_f", "lm_head"],
    },
    Family {
        name: "BERT",
        before: &[
            "bert.embeddings.word_embeddings",
            "bert.embeddings.position_embeddings",
            "bert.embeddings.token_type_embeddings",
            "bert.embeddings.LayerNorm",
        ],
        layer: "bert.encoder.layer.",
        within: &[
            "attention.self.query",
            "attention.self.key",
            "attention.self.value",
            "attention.output.dense",
            "attention.output.LayerNorm",
            "intermediate.dense",
            "output.dense",
            "output.LayerNorm",
        ],
        behind: &["bert.pooler.dense", "classifier", "qa_outputs"],
    },
    Family {
        name: "ViT",
        before: &["vit.embeddings.patch_embeddings.projection"],
        layer: "vit.encoder.layer.",
        within: &[
            "attention.attention.query",
            "attention.attention.key",
            "attention.attention.value",
            "attention.output.dense",
            "intermediate.dense",
            "output.dense",
            "layernorm_before",
            "layernorm_after",
        ],
        behind: &["vit.layernorm", "vit.pooler.dense", "classifier"],
    },
];

/// ViT's class token and positions are parameters of a module itself, which come before the
/// parameters of its children.
const OWN: [&str; 2] = ["vit.embeddings.cls_token", "vit.embeddings.position_embeddings"];

/// Sorts tensors into the order of their modules; the family's name if all of them are known.
pub(crate) fn sort(candidates: &mut [Candidate]) -> Option<&'static str> {
    if candidates.is_empty() {
        return None;
    }
    // Buffers are no part of the order, and come behind it.
    candidates.sort_by_key(|tensor| tensor.is_buffer);
    let parameters = candidates.iter().filter(|tensor| !tensor.is_buffer).count();
    let candidates = candidates.get_mut(..parameters)?;
    for family in &FAMILIES {
        let places: Option<Vec<[u64; 4]>> =
            candidates.iter().map(|tensor| family.place(&tensor.name)).collect();
        if let Some(places) = places {
            let mut keyed: Vec<([u64; 4], Candidate)> =
                places.into_iter().zip(candidates.iter().cloned()).collect();
            keyed.sort_by_key(|(place, _)| *place);
            for (slot, (_, tensor)) in candidates.iter_mut().zip(keyed) {
                *slot = tensor;
            }
            return Some(family.name);
        }
    }
    None
}

impl Family {
    /// Part of the model, layer, module in it, and tensor in the module (weight before bias).
    fn place(&self, name: &str) -> Option<[u64; 4]> {
        if let Some(own) = OWN.iter().position(|own| *own == name) {
            return name
                .starts_with(self.layer.split('.').next()?)
                .then_some([0, 0, own as u64, 0]);
        }
        let (module, tensor) = match name.strip_suffix(".weight") {
            Some(module) => (module, 0),
            None => (name.strip_suffix(".bias")?, 1),
        };
        let among = |modules: &[&str]| modules.iter().position(|known| *known == module);
        if let Some(place) = among(self.before) {
            return Some([1, 0, place as u64, tensor]);
        }
        if let Some(place) = among(self.behind) {
            return Some([3, 0, place as u64, tensor]);
        }
        let (number, rest) = module.strip_prefix(self.layer)?.split_once('.')?;
        let place = self.within.iter().position(|known| *known == rest)?;
        Some([2, number.parse().ok()?, place as u64, tensor])
    }
}

#[cfg(test)]
mod tests {
    use super::super::kind::Kind;
    use super::*;

    fn sorted(names: &[&str]) -> (Option<&'static str>, Vec<String>) {
        let mut candidates: Vec<Candidate> = names
            .iter()
            .map(|name| Candidate {
                name: (*name).to_owned(),
                shape: vec![2, 2],
                kind: Kind::Matrix,
                is_buffer: false,
                has_bias: false,
            })
            .collect();
        let family = sort(&mut candidates);
        (family, candidates.into_iter().map(|tensor| tensor.name).collect())
    }

    #[test]
    fn layers_are_in_the_order_of_their_numbers_and_not_of_their_digits() {
        let (family, names) = sorted(&[
            "lm_head.weight",
            "model.embed_tokens.weight",
            "model.layers.10.mlp.down_proj.weight",
            "model.layers.2.input_layernorm.weight",
            "model.layers.2.self_attn.v_proj.bias",
            "model.layers.2.self_attn.v_proj.weight",
            "model.layers.2.self_attn.q_proj.weight",
            "model.norm.weight",
        ]);
        assert_eq!(family, Some("Llama"));
        assert_eq!(
            names,
            [
                "model.embed_tokens.weight",
                "model.layers.2.self_attn.q_proj.weight",
                "model.layers.2.self_attn.v_proj.weight",
                "model.layers.2.self_attn.v_proj.bias",
                "model.layers.2.input_layernorm.weight",
                "model.layers.10.mlp.down_proj.weight",
                "model.norm.weight",
                "lm_head.weight",
            ]
        );
    }

    #[test]
    fn a_tensor_that_the_family_does_not_have_leaves_the_order_open() {
        let (family, names) = sorted(&["transformer.wte.weight", "value_head.weight"]);
        assert_eq!(family, None);
        assert_eq!(names, ["transformer.wte.weight", "value_head.weight"]);
    }
}
