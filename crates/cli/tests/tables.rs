//! Public cases (`cases/README.md`) with their right outcomes, as a user types them.

#[expect(dead_code, reason = "no corpus is needed here")]
mod support;

use std::path::{Path, PathBuf};

use serde_json::Value;
use support::{succeed, wd};

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name)
}

/// The answer to `wd evidence`, as JSON.
fn answer(name: &str, options: &str) -> Value {
    let mut command = wd();
    command.arg("evidence").arg(case(name)).args(options.split(' ')).arg("--json");
    serde_json::from_slice(&succeed(&mut command).stdout).expect("JSON on standard output")
}

/// What `wd evidence` prints.
fn page(name: &str, options: &str) -> String {
    let mut command = wd();
    command.arg("evidence").arg(case(name)).args(options.split(' '));
    String::from_utf8(succeed(&mut command).stdout).expect("UTF-8")
}

/// What `wd evidence` refuses with, on one line.
fn refusal(name: &str, options: &str) -> String {
    let mut command = wd();
    command.arg("evidence").arg(case(name)).args(options.split(' '));
    let output = command.output().expect("the command starts");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{message}");
    message.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[track_caller]
fn close(value: &Value, expected: f64, tolerance: f64) {
    let value = number(value);
    assert!((value - expected).abs() <= tolerance * expected.abs(), "{value}, expected {expected}");
}

#[test]
fn g01_evidence_does_not_depend_on_the_unit_of_the_target() {
    for name in ["g01-scale-unit.csv", "g01-scale-giga.csv", "g01-scale-nano.csv"] {
        close(&answer(name, "--target yield")["lambda"], 0.531_092_679_888, 1e-9);
    }
    let said = page("g01-two-rows.csv", "--target y --intercept absent");
    assert!(said.contains("without an intercept stands in for one"), "{said}");
    assert!(!said.contains("so their coefficients are 0"), "{said}");
}

#[test]
fn g03_repeats_are_rows_in_every_family() {
    for (family, target, other) in
        [("gaussian", "gain", "event"), ("logistic", "event", "gain"), ("softmax", "event", "gain")]
    {
        let options = format!("--target {target} --family {family} --drop {other} --compare loo");
        let weighted = answer("g03-weighted.csv", &format!("{options} --weights w"));
        let repeated = answer(
            "g03-repeated.csv",
            &format!("{options},w").replace(" --compare loo,w", ",w --compare loo"),
        );
        assert_eq!(weighted["rows"], repeated["rows"], "{family}");
        for key in ["lambda", "log_evidence", "effective_parameters"] {
            close(&weighted[key], number(&repeated[key]), 1e-6);
        }
        let of = |found: &Value| found["comparison"][1]["error"].clone();
        close(&of(&weighted), number(&of(&repeated)), 1e-6);
        if family != "softmax" {
            for column in ["a", "b", "c"] {
                for key in ["coefficients", "standard_deviations"] {
                    close(&weighted[key][column], number(&repeated[key][column]), 1e-5);
                }
            }
        }
    }
    let precision = answer("g03-weighted.csv", "--target gain --drop event --weights w:precision");
    close(&precision["lambda"], 3.62, 2e-3);
    let repeats = answer("g03-weighted.csv", "--target gain --drop event --weights w:repeats");
    close(&repeats["lambda"], 1.7026, 1e-4);
    assert_eq!(repeats["left_out"]["weightless"], 24);
    let said = page("g03-weighted.csv", "--target gain --drop event --weights w");
    assert!(said.contains("Used 36 rows, left out 24: 24 rows of weight 0."), "{said}");
    assert!(refusal("g03-weighted-negative.csv", "--target gain --weights w").contains("negative"));
    let message = refusal("g03-weighted-missing.csv", "--target gain --weights w");
    assert!(message.contains("--drop-missing-rows"), "{message}");
    let message =
        refusal("g03-weighted.csv", "--target event --family logistic --weights w:precision");
    assert!(message.contains("say repeats"), "{message}");
}

#[test]
fn g04_an_inner_lambda_and_no_signal() {
    close(
        &answer("g04-one-column.csv", "--target event --family logistic")["lambda"],
        0.2696,
        1e-3,
    );
    let none = answer("g04-two-events.csv", "--target event --family logistic");
    assert_eq!((&none["outcome"], &none["lambda"]), (&"no-signal".into(), &Value::Null));
    assert_eq!(none["conventions"], serde_json::json!([]));
    let said = page("g04-two-events.csv", "--target event --family logistic");
    assert!(said.contains("λ = ∞, no signal") && !said.contains("LogisticRegression("), "{said}");
}

#[test]
fn g05_separable_classes_have_no_evidence_to_go_by() {
    let options = "--target healed --family logistic";
    let found = answer("g05-separable.csv", options);
    assert_eq!(found["chosen_by"], "leave-one-out");
    close(&found["lambda"], 0.02355, 0.01);
    let said = page("g05-separable.csv", options);
    for part in ["by leave-one-out: the evidence has no maximum", "grows like ½ ln 1/λ"] {
        assert!(said.contains(part), "no «{part}» in {said}");
    }
    // A probability that can be believed, and a call for that λ alone.
    let call = found["conventions"][0]["call"].as_str().expect("a call");
    assert!(call.contains("C=42"), "{call}");
    let slope = number(&found["coefficients"]["balance"]);
    assert!((0.5..20.0).contains(&slope), "{slope}");
    let quasi = answer("g05-pure-groups.csv", options);
    assert!(number(&quasi["lambda"]) > 1e-4, "{}", quasi["lambda"]);
}

#[test]
fn g06_the_intercept_is_free_or_not_there() {
    for name in ["g06-offset-fifty.csv", "g06-own-ones.csv"] {
        let found = answer(name, "--target y");
        close(&found["lambda"], 0.236_002, 1e-5);
        close(&found["coefficients"]["x"], 2.0144, 1e-4);
    }
    let absent = answer("g06-offset-fifty.csv", "--target y --intercept absent");
    let call = absent["conventions"][0]["call"].as_str().expect("a call");
    assert!(call.contains("fit_intercept=False") && call.contains("with_mean=False"), "{call}");
}

#[test]
fn g07_folds_share_out_every_class() {
    for name in ["g07-rare-classes.csv", "g07-sorted-classes.csv"] {
        for seed in 0..6 {
            let options = format!("--target state --family softmax --compare cv:5 --seed {seed}");
            let message = refusal(name, &options);
            for part in ["the class `lost`", "without fold", "holdout:FILE"] {
                assert!(message.contains(part), "no «{part}» in {message}");
            }
            // The class of two rows is in two folds, whatever the seed.
            let without = format!("{options} --missing lost --drop-missing-rows");
            let found = answer(name, &without);
            assert!(number(&found["comparison"][1]["standard_error"]) > 0.0);
            assert_eq!(found["left_out"]["missing"], 1);
        }
    }
}

#[test]
fn g08_rates_have_exposures() {
    let offset = "--target claims --family poisson --offset exposure_years";
    let found = answer("g08-claims.csv", offset);
    // 0.533 by maximum likelihood; leaving the exposure out makes an effect of the load.
    close(&found["coefficients"]["age_z"], 0.533, 0.03);
    let without =
        answer("g08-claims.csv", "--target claims --family poisson --drop exposure_years");
    assert!(number(&without["coefficients"]["load_z"]) < -0.15, "{}", without["coefficients"]);
    assert!(number(&found["coefficients"]["load_z"]).abs() < 2e-3, "{}", found["coefficients"]);
    let message =
        refusal("g08-claim-rates.csv", "--target rate --family poisson --weights exposure_years");
    assert!(message.contains("with its exposure as the offset"), "{message}");
    // What predicts needs the exposure, and multiplies by it.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let model = folder.path().join("model.json");
    let mut command = wd();
    command.arg("evidence").arg(case("g08-claims.csv")).args(offset.split(' ')).arg("--save");
    succeed(command.arg(&model));
    let new = folder.path().join("new.csv");
    std::fs::write(&new, "age_z,load_z,exposure_years\n0.5,0,1\n0.5,0,10\n").expect("a file");
    let output = succeed(wd().arg("predict").arg(&model).arg(&new));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let value = |line: usize| -> f64 {
        let line = text.lines().nth(line).expect("a row");
        line.split(',').nth(1).expect("a cell").parse().expect("a number")
    };
    assert!((value(2) / value(1) - 10.0).abs() < 1e-9, "{text}");
}

#[test]
fn g09_a_european_sheet_is_read_as_it_was_published() {
    let message = refusal("g09-air.csv", "--target T");
    assert!(message.contains("dates such as `10/03/2019`"), "{message}");
    let message = refusal("g09-air.csv", "--target T --drop Datum,Stunde");
    assert!(message.contains("decimal commas") && message.contains("--decimal ,"), "{message}");
    let options = "--target T --decimal , --drop Datum,Stunde";
    let said = page("g09-air.csv", options);
    assert!(said.contains("far outside the rest") && said.contains("−200"), "{said}");
    let missing = format!("{options} --missing -200 --drop-missing-rows");
    let found = answer("g09-air.csv", &missing);
    assert_eq!(found["left_out"]["blank"], 6);
    assert!(number(&found["left_out"]["missing"]) > 0.0);
    assert!(number(&found["quality"]["root_mean_squared_error"]) < 5.0, "{}", found["quality"]);
    let dropped = found["design"]["dropped"].as_array().expect("columns");
    assert_eq!(dropped.iter().filter(|column| column["reason"] == "empty").count(), 2);
    // With the day as a number, and rows that the model reads in the same way.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let model = folder.path().join("model.json");
    let options = "--target T --decimal , --drop Stunde --dates days --missing -200 --drop-missing-rows --save";
    let mut command = wd();
    command.arg("evidence").arg(case("g09-air.csv")).args(options.split(' ')).arg(&model);
    succeed(&mut command);
    let output = succeed(wd().arg("predict").arg(&model).arg(case("g09-air.csv")));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(text.lines().count(), 121, "120 rows below a header");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("Predicted") && said.contains("6 blank lines"), "{said}");
}

#[test]
fn g10_a_sheet_of_excel_is_read() {
    let message = refusal("g10-excel-bom.csv", "--target yield --impute mean");
    for part in ["`7,980`", "7980 with `--thousands ,`", "7.98 with `--decimal ,`"] {
        assert!(message.contains(part), "no «{part}» in {message}");
    }
    let options = "--target yield --impute mean --thousands ,";
    let whole = answer("g10-excel-bom.csv", options);
    let wide = answer("g10-excel-utf16.csv", options);
    let latin = answer("g10-excel-latin1.csv", &format!("{options} --encoding latin1"));
    assert!(refusal("g10-excel-latin1.csv", options).contains("--encoding latin1"));
    for other in [&wide, &latin] {
        close(&other["lambda"], number(&whole["lambda"]), 1e-9);
    }
    assert!(number(&whole["coefficients"]["price"]).abs() < 0.1);
    let said = page("g10-excel-bom.csv", options);
    assert!(said.contains("empty cells are"), "{said}");
    let words: Vec<&str> = said.split_whitespace().collect();
    let words = words.join(" ");
    let filled = "Used 48 rows, left out none. Filled 9 empty cells with the means of their \
                  columns (`height` 5, `irrigated` 4).";
    assert!(words.contains(filled), "{said}");
    assert!(words.contains("price number as it is"), "{said}");
    assert_eq!(whole["filled"], 9);
}

#[test]
fn counts_that_vary_too_much_are_named_with_the_remedy() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let said = |large: u32| {
        let table = folder.path().join("counts.csv");
        let rows =
            (0..100).map(|row| format!("{},{}\n", row % 7, if row % 5 == 0 { large } else { 2 }));
        std::fs::write(&table, format!("x,y\n{}", rows.collect::<String>())).expect("a file");
        let mut command = wd();
        command.arg("evidence").arg(&table).args(["--target", "y", "--family", "poisson"]);
        String::from_utf8(succeed(&mut command).stdout).expect("UTF-8")
    };
    let over = said(40);
    assert!(over.contains("degrees of freedom") && over.contains("cv:10"), "{over}");
    assert!(!said(3).contains("degrees of freedom"));
}

#[test]
fn g27_g28_more_columns_than_rows_and_powers() {
    assert_eq!(answer("g27-three-by-four.csv", "--target y")["rows"], 3);
    close(&answer("g28-powers.csv", "--target b")["lambda"], 0.001_369_877_835_445, 1e-8);
    // The cost at the minimum itself, not at the nearest point of the path.
    let compared = answer("g28-powers.csv", "--target b --compare loo");
    close(&compared["comparison"][0]["costs"]["leave-one-out"], 0.489, 2e-3);
}

#[test]
fn g30_labels_and_dates_are_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let table = folder.path().join("ids.csv");
    let rows: String = (0..300)
        .map(|row| {
            let day = format!("2023-{:02}-{:02}", row % 12 + 1, row * 7 % 28 + 1);
            format!(
                "u{:05},{day},{},{}\n",
                row * 37 % 99_991,
                f64::from(row % 17),
                f64::from(row % 17) * 2.0 + f64::from(row * row % 13)
            )
        })
        .collect();
    std::fs::write(&table, format!("user,day,amount,spend\n{rows}")).expect("a file");
    let run = |options: &str| {
        let mut command = wd();
        command.arg("evidence").arg(&table).args(options.split(' '));
        command.output().expect("the command starts")
    };
    let refused = run("--target spend");
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(message.contains("column `day`") && message.contains("--dates days"), "{message}");
    let output = run("--target spend --dates year-month");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("`user` has 300 levels in 300 rows"), "{said}");
    let output = run("--target spend --dates year-month --drop user");
    assert!(output.status.success());
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("its year, and 11 indicators of months"), "{said}");
}

#[test]
fn g32_rows_that_can_be_predicted_are() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let model = folder.path().join("model.json");
    let mut command = wd();
    command
        .arg("evidence")
        .arg(case("g32-fit.csv"))
        .args(["--target", "price", "--save"])
        .arg(&model);
    succeed(&mut command);
    let predict = |options: &[&str]| {
        let mut command = wd();
        command.arg("predict").arg(&model).arg(case("g32-new.csv")).args(options);
        command.output().expect("the command starts")
    };
    let output = predict(&[]);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0], ["row", "price", "price_sd", "price_low", "price_high"]);
    let is_empty: Vec<bool> = rows[1..].iter().map(|row| row[1].is_empty()).collect();
    assert_eq!(is_empty, [false, true, true, true], "{text}");
    assert_eq!(rows[1..].iter().map(|row| row[0]).collect::<Vec<_>>(), ["1", "2", "3", "4"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("Predicted 1 row, left out 3: 2 rows with empty cells (`lot` 1, `area` 1)"),
        "{said}"
    );
    assert!(said.contains("`lot`: `irregular`"), "{said}");
    let baseline = String::from_utf8(predict(&["--unseen", "baseline"]).stdout).expect("UTF-8");
    let deviation = |line: usize| -> f64 {
        let line = baseline.lines().nth(line).expect("a row");
        line.split(',').nth(2).expect("a cell").parse().expect("a number")
    };
    // The baseline, with the interval of what the prior says of another level.
    assert!(deviation(2) > 1.2 * deviation(1), "{baseline}");
    let strict = predict(&["--unseen", "refuse"]);
    let said = String::from_utf8_lossy(&strict.stderr).into_owned();
    assert!(!strict.status.success() && said.contains("`irregular`"), "{said}");
    let named = String::from_utf8(predict(&["--id", "lot"]).stdout).expect("UTF-8");
    assert!(
        named.starts_with("lot,price")
            && named.lines().nth(2).expect("a row").starts_with("irregular,"),
        "{named}"
    );
}

/// exp(2x + noise): intervals of equal sides hold too many rows, and the logarithm mends it.
#[test]
fn a_skewed_target_is_told_to_be_a_logarithm() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let table = folder.path().join("skewed.csv");
    let mut state = 1u64;
    let mut uniform = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let rows: String = (0..400)
        .map(|_| {
            let x = uniform();
            let noise = (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
            format!("{x},{}\n", (2.0 * x + noise).exp())
        })
        .collect();
    std::fs::write(&table, format!("x,y\n{rows}")).expect("a file");
    let report = |target: &str| {
        let path = folder.path().join("report.html");
        let mut command = wd();
        command.arg("evidence").arg(&table).args(["--target", target, "--out"]).arg(&path);
        succeed(&mut command);
        std::fs::read_to_string(&path).expect("the report")
    };
    let skewed = report("y");
    assert!(skewed.contains("skewed to the right") && skewed.contains("log(y)"), "no hint");
    for part in ["observations", "Predicted against observed", "R²", "RMSE"] {
        assert!(skewed.contains(part), "no {part}");
    }
    assert!(!report("log(y)").contains("skewed to the right"));
}
