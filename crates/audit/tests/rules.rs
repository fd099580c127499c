//! The rules as others use them: on configurations as they are read, chosen by name, explained.

use std::path::{Path, PathBuf};

use wd_audit::case::{Case, Parameter, Subject};
use wd_audit::checkpoint::{Checkpoint, Format, Group, OptimizerState, ParameterId, Writer};
use wd_audit::finding::Finding;
use wd_audit::names::{Kind, Naming};
use wd_audit::rules::{RULES, find, judge, list, select};
use wd_audit::{dialect, finding::Severity};

/// nanoGPT's optimizer after 5000 steps, without weights and state: a matrix decays, a gain does
/// not.
fn subject(lambda: f64) -> Subject {
    let group = |lambda: f64, index: i64| Group {
        lambda: Some(lambda),
        rate: Some(6e-4),
        betas: Some((0.9, 0.95)),
        parameters: vec![ParameterId::Index(index)],
        ..Group::default()
    };
    let parameter = |name: &str, shape: &[usize], index: usize, lambda: f64| Parameter {
        name: Some(name.to_owned()),
        candidates: Vec::new(),
        optimizer: 0,
        group: index,
        index,
        shape: Some(shape.to_vec()),
        kind: Some(Kind::of(name, shape)),
        lambda: Some(lambda),
        has_state: true,
    };
    let optimizer = OptimizerState {
        groups: vec![group(lambda, 0), group(0.0, 1)],
        ..OptimizerState::default()
    };
    let checkpoint = Checkpoint {
        path: PathBuf::from("ckpt.pt"),
        format: Format::TorchZip,
        writer: Writer::NanoGpt,
        writer_version: None,
        model: Vec::new(),
        is_in_module_order: true,
        optimizers: vec![optimizer],
        schedulers: Vec::new(),
        clocks: Vec::new(),
        rates: Vec::new(),
        embedded: Vec::new(),
        remarks: Vec::new(),
    };
    let parameters = vec![
        parameter("transformer.h.0.mlp.c_fc.weight", &[32, 8], 0, lambda),
        parameter("transformer.ln_f.weight", &[8], 1, 0.0),
    ];
    Subject { checkpoint, naming: vec![Naming::Listed], parameters, declarations: Vec::new() }
}

fn findings(lambda: f64, configuration: &str) -> Vec<Finding> {
    let declaration = dialect::read(Path::new("config/train.py"), configuration).unwrap();
    let case = Case {
        subjects: vec![subject(lambda)],
        declarations: vec![declaration],
        ..Case::default()
    };
    judge(&case, RULES.iter().copied())
}

fn ids(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.rule).collect()
}

#[test]
fn a_configuration_that_says_another_lambda_is_found_on_its_line() {
    let text = "max_iters = 5000\nlr_decay_iters = 5000\nwarmup_iters = 100\nblock_size = 256\n\
                learning_rate = 6e-4\nmin_lr = 6e-5\nweight_decay = 0.3\n";
    let found = findings(0.1, text);
    assert_eq!(ids(&found), ["D01"], "{found:#?}");
    assert_eq!(found[0].severity, Severity::Error);
    assert_eq!(found[0].place.line, Some(7));
    assert_eq!(
        found[0].message,
        "The nanoGPT configuration declares `weight_decay` = 0.3, and the groups of the optimizer \
         in ckpt.pt have λ = 0.1 and 0."
    );
    assert!(findings(0.3, text).is_empty());
    assert_eq!(ids(&findings(0.0, text)), ["D02"]);
}

#[test]
fn a_default_is_a_note_and_contradicts_nothing() {
    let text = "max_iters = 5000\nlr_decay_iters = 5000\nwarmup_iters = 100\nblock_size = 256\n";
    assert_eq!(ids(&findings(0.1, text)), ["D04"]);
    assert_eq!(ids(&findings(0.2, text)), ["D04"]);
}

#[test]
fn rules_are_chosen_and_explained() {
    assert_eq!(RULES.len(), 39);
    let none: [String; 0] = [];
    assert_eq!(select(&["N".to_owned()], &none).unwrap().len(), 6);
    assert!(select(&["Z1".to_owned()], &none).is_err());
    assert!(find("S99").is_err());
    for rule in RULES {
        let page = rule.page();
        assert_eq!(page.sections.len(), 4 + usize::from(!rule.cases.is_empty()), "{}", rule.id);
        assert!(rule.markdown().contains("```python\n"), "{}", rule.id);
    }
    assert!(list().html().contains("norm-slipped-in"));
}
