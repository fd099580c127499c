//! `wd reproduce prior` as a user types it, with few draws.

#[expect(dead_code, reason = "no corpus is needed here")]
mod support;

use serde_json::Value;
use support::{succeed, wd};

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::INFINITY)
}

#[test]
fn the_study_writes_its_report_and_finds_the_same_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let study = || {
        let mut command = wd();
        command.args(["reproduce", "prior", "--draws", "6", "--out"]).arg(folder.path());
        command
    };
    let first = succeed(study().arg("--json")).stdout;
    let found: Value = serde_json::from_slice(&first).expect("JSON on standard output");
    assert_eq!(found["draws"], 6);

    // A sample of 16 rows with 11 free parameters: what fits it best errs most elsewhere.
    let smallest = &found["sizes"][0];
    assert_eq!(smallest["rows"], 16);
    let [likelihood, evidence] = [&smallest["rules"][0], &smallest["rules"][1]];
    assert_eq!(likelihood["rule"], "maximum-likelihood");
    assert!(number(&likelihood["training"]["mean"]) < number(&evidence["training"]["mean"]));
    assert!(number(&likelihood["fresh"]["mean"]) > number(&evidence["fresh"]["mean"]));
    let difference = number(&evidence["fresh"]["mean"]) - number(&likelihood["fresh"]["mean"]);
    assert!((difference - number(&evidence["fresh_difference"]["mean"])).abs() < 1e-9);

    // Both ends of the curve over λ are worse than its middle; the sample's own error only rises.
    let points = found["curve"]["points"].as_array().expect("points");
    let fresh: Vec<f64> = points.iter().map(|point| number(&point["fresh"]["mean"])).collect();
    let best = fresh.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(best < fresh[0] && best < fresh[fresh.len() - 1]);
    for pair in points.windows(2) {
        let training = |index: usize| number(&pair[index]["training"]["mean"]);
        assert!(training(0) <= training(1));
        let product = number(&pair[0]["lambda"]) * number(&pair[0]["sigma"]).powi(2);
        assert!((product - 1.0).abs() < 1e-12);
    }

    for way in found["ways"]["ways"].as_array().expect("ways") {
        assert!(number(&way["difference"]) < 1e-6, "{way}");
    }
    assert_eq!(found["recovery"].as_array().map(Vec::len), Some(10));
    assert_eq!(found["rivals"].as_array().map(Vec::len), Some(16));

    let page = std::fs::read_to_string(folder.path().join("report.html")).expect("a report");
    for figure in [
        "sample-size",
        "error-over-lambda",
        "four-ways",
        "recovery-figure",
        "cross-validation-figure",
    ] {
        assert!(page.contains(&format!("id=\"{figure}\"")), "{figure} is missing");
    }
    assert!(!page.contains("NaN"));
    assert!(!page.contains("src=\"http") && !page.contains("<link"));

    let words = String::from_utf8(succeed(&mut study()).stdout).expect("UTF-8");
    let headline = found["verdict"][0].as_str().expect("a headline");
    let joined = words.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(joined.contains(headline), "{headline}\n{words}");
    assert!(words.contains("report.html"));
}

#[test]
fn a_study_without_draws_or_with_options_of_the_other_is_refused() {
    for arguments in [
        &["reproduce", "prior", "--draws", "1"][..],
        &["reproduce", "--quick", "prior"],
        &["reproduce", "force"],
    ] {
        let output = wd().args(arguments).output().expect("the command starts");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
    }
}
