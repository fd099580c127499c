//! Tests of all rules together: each finds what is planted for it, and is quiet where it must be.

use std::collections::HashSet;

use super::testing::{clean, one, two};
use super::*;

/// A rule's planted fault, and what looks like it and is none.
struct Planted {
    id: &'static str,
    fault: fn() -> Case,
    look_alike: fn() -> Case,
}

macro_rules! planted {
    ($($module:ident),* $(,)?) => {
        [$(Planted {
            id: $module::RULE.id,
            fault: $module::planted::fault,
            look_alike: $module::planted::look_alike,
        }),*]
    };
}

fn planted() -> Vec<Planted> {
    planted![
        d01_declared_mismatch,
        d02_declared_but_zero,
        d03_unknown_decay_key,
        d04_library_default,
        d05_rule_against_name,
        d06_decayed_twice,
        d07_scaled_by_batch,
        d08_stale_schedule,
        s01_everything_decays,
        s02_norm_slipped_in,
        s03_empty_group,
        s04_groups_swapped,
        s05_embedding_regression,
        s06_special_tensor_decays,
        s07_flat_parameters,
        s08_missing_from_groups,
        s09_decayed_on_paper,
        s10_convention_difference,
        s11_tied_head,
        s12_adapter_decay,
        n01_bf16_swallow,
        n02_fp32_quantum,
        n03_state_underflow,
        n04_jumpy_dead_rows,
        n05_eight_bit_state,
        n06_not_finite,
        t01_inert,
        t02_off_law,
        t03_overshoot,
        r01_resume_overrode,
        r02_shard_lost_keys,
        r03_clocks_disagree,
        r04_order_changed,
        f01_dead_rows_shrunk,
        f02_frozen_decays,
        f03_applied_not_declared,
        f04_wrong_sign,
        f05_other_rule,
        f06_equilibrium,
    ]
    .into()
}

fn found(case: &Case, is_it: impl Fn(&Finding) -> bool) -> Vec<String> {
    let findings = judge(case, RULES.iter().copied());
    findings
        .iter()
        .filter(|one| is_it(one))
        .map(|one| format!("{} {}", one.rule, one.message))
        .collect()
}

#[test]
fn every_rule_has_a_fault_and_a_look_alike() {
    let ids: Vec<&str> = planted().iter().map(|planted| planted.id).collect();
    let rules: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(ids, rules);
    assert_eq!(rules.len(), 39);
}

#[test]
fn a_fault_is_found_by_its_rule_and_by_no_other_as_an_error() {
    for Planted { id, fault, .. } in planted() {
        let case = fault();
        assert!(!found(&case, |one| one.rule == id).is_empty(), "{id} does not find its fault");
        let others = found(&case, |one| one.rule != id && one.severity == Severity::Error);
        assert!(others.is_empty(), "the fault of {id}: {others:#?}");
        let files: Vec<_> = judge(&case, RULES.iter().copied())
            .into_iter()
            .filter(|one| one.rule == id)
            .map(|one| one.place)
            .collect();
        assert_eq!(
            files.len(),
            files.iter().map(|place| &place.file).collect::<HashSet<_>>().len()
        );
    }
}

#[test]
fn a_look_alike_is_no_fault() {
    for Planted { id, look_alike, .. } in planted() {
        let case = look_alike();
        let wrong = found(&case, |one| one.rule == id || one.severity == Severity::Error);
        assert!(wrong.is_empty(), "what looks like {id}: {wrong:#?}");
    }
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    for case in [one(clean()), two(clean(), clean()), Case::default()] {
        let all = found(&case, |_| true);
        assert!(all.is_empty(), "{all:#?}");
    }
}

#[test]
fn findings_are_full_sentences_with_true_numbers() {
    for Planted { fault, .. } in planted() {
        for finding in judge(&fault(), RULES.iter().copied()) {
            for text in [&finding.message, &finding.fix] {
                assert!(text.ends_with('.'), "{text}");
                let bad = ["NaN", "inf", "  ", "..", "Some(", "–"];
                assert!(!bad.iter().any(|part| text.contains(part)), "{text}");
                assert!(
                    text.starts_with(|first: char| !first.is_lowercase() || "ληκ".contains(first)),
                    "{text}"
                );
            }
        }
    }
}

#[test]
fn identifiers_are_unique_and_in_order() {
    let families = ["D", "S", "N", "T", "R", "F"];
    let position = |rule: &&&Rule| {
        let family = families.iter().position(|&family| rule.id.starts_with(family)).unwrap();
        (family, rule.id[1..].parse::<u32>().unwrap())
    };
    assert!(RULES.is_sorted_by_key(|rule| position(&rule)));
    for field in [|rule: &Rule| rule.id, |rule: &Rule| rule.name] {
        let distinct: HashSet<&str> = RULES.iter().map(|rule| field(rule)).collect();
        assert_eq!(distinct.len(), RULES.len());
    }
    for rule in RULES {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(rule.name.chars().all(is_plain), "{}", rule.name);
    }
}

#[test]
fn the_texts_of_every_rule_are_sentences() {
    for rule in RULES {
        for text in [rule.finds, rule.why, rule.seen, rule.mend, rule.no_fault] {
            assert!(
                text.ends_with('.') || text.lines().last().unwrap().starts_with("    "),
                "{text}"
            );
            assert!(!text.contains("  ") || text.contains("\n    "), "{}: {text}", rule.id);
            assert!(
                text.starts_with(|first: char| first.is_uppercase() || "κλη0".contains(first)),
                "{text}"
            );
        }
        assert!(rule.mend.contains("\n\n    "), "{} shows no line of code", rule.id);
        for case in rule.cases {
            let (repository, number) = case.split_once('#').unwrap();
            assert!(!repository.is_empty() && number.parse::<u32>().is_ok(), "{case}");
        }
    }
}

#[test]
fn no_line_of_a_rule_is_over_100_columns() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            assert!(line.chars().count() <= 100, "{}:{}", path.display(), number + 1);
        }
    }
}

#[test]
fn a_page_says_what_why_and_how() {
    let rule = find("S02").unwrap();
    insta::assert_snapshot!(rule.page().terminal(&wd_page::Terminal::plain()));
    insta::assert_snapshot!(rule.markdown());
    let list = list().terminal(&wd_page::Terminal::plain());
    assert!(list.contains("norm-slipped-in"), "{list}");
}
