//! `wd evidence` and `wd predict` as a user types them, on the tables that are shipped.

#[expect(dead_code, reason = "no corpus is needed here")]
mod support;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use support::{succeed, wd};
use wd_evidence::fit::{Request, fit};
use wd_page::Context;
use wd_page::words::quoted;

fn table(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpora/tables").join(name)
}

fn json(command: &mut Command) -> Value {
    let output = succeed(command.arg("--json"));
    serde_json::from_slice(&output.stdout).expect("JSON on standard output")
}

fn text(command: &mut Command) -> String {
    String::from_utf8(succeed(command).stdout).expect("UTF-8")
}

/// Runs a command that must fail, and gives what it says.
fn fail(command: &mut Command) -> String {
    let output = command.output().expect("the command starts");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{command:?} succeeded:\n{message}");
    assert_ne!(output.status.code(), Some(101), "a panic:\n{message}");
    assert!(output.stdout.is_empty(), "output beside an error");
    // Lines are broken for the eye.
    message.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

fn close(value: &Value, expected: f64, tolerance: f64) {
    let value = value.as_f64().expect("a number");
    assert!(
        (value - expected).abs() <= tolerance * expected.abs(),
        "{value} where {expected} is expected"
    );
}

/// Rows of comma-separated numbers below a header.
fn numbers(text: &str) -> (Vec<String>, Vec<Vec<f64>>) {
    let mut lines = text.lines();
    let header = lines.next().expect("a header").split(',').map(str::to_owned).collect();
    let rows = lines
        .map(|line| line.split(',').map(|field| field.parse().expect("a number")).collect())
        .collect();
    (header, rows)
}

#[test]
fn the_json_holds_what_scripts_ask_for() {
    let found = json(wd().arg("evidence").arg(table("diabetes.csv")).args([
        "--target",
        "target",
        "--compare",
        "loo,gcv,cv:10",
    ]));
    // λ = α/β, and MacKay's fixed point: 2αE_W = γ and βE_D + αE_W = n/2.
    let number = |key: &str| found[key].as_f64().expect(key);
    close(&found["lambda"], number("alpha") / number("beta"), 1e-12);
    let path = found["path"].as_array().expect("a path");
    let here = path
        .iter()
        .find(|point| point["lambda"] == found["lambda"])
        .expect("the path passes through the choice");
    let norm = here["squared_norm"].as_f64().expect("a number");
    close(&found["effective_parameters"], number("alpha") * norm, 1e-9);
    let residual = 442.0 * here["training_error"].as_f64().expect("a number");
    let energies = number("beta") * residual + number("alpha") * norm;
    assert!((energies - 442.0).abs() < 1e-7, "{energies}");
    assert!(path.len() > 100);
    for criterion in ["leave-one-out", "GCV", "10-fold CV"] {
        assert!(
            here[criterion].as_f64().is_some_and(|error| error > residual / 442.0),
            "{criterion}"
        );
    }
    let interval = found["lambda_interval"].as_array().expect("an interval");
    assert!(interval[0].as_f64() < found["lambda"].as_f64());
    assert!(interval[1].as_f64() > found["lambda"].as_f64());
    for choice in found["comparison"].as_array().expect("choices") {
        let own = choice["chosen_by"].as_str().expect("a name");
        assert_eq!(choice["costs"][own], 0.0);
    }
    // Coefficients in original units give the mean of the target at the mean of the columns.
    let (header, rows) =
        numbers(&std::fs::read_to_string(table("diabetes.csv")).expect("the table"));
    let mean = |column: usize| rows.iter().map(|row| row[column]).sum::<f64>() / rows.len() as f64;
    let mut fitted = number("intercept");
    for (column, name) in header.iter().enumerate().filter(|(_, name)| *name != "target") {
        fitted += found["coefficients"][name].as_f64().expect("a coefficient") * mean(column);
    }
    assert!((fitted - mean(header.len() - 1)).abs() < 1e-8);
}

#[test]
fn a_saved_model_predicts_what_it_should() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let model = folder.path().join("model.json");
    let found = json(
        wd().arg("evidence")
            .arg(table("diabetes.csv"))
            .args(["--target", "target", "--save"])
            .arg(&model),
    );
    let (names, rows) =
        numbers(&std::fs::read_to_string(table("diabetes.csv")).expect("the table"));
    let predicted = text(wd().arg("predict").arg(&model).arg(table("diabetes.csv")));
    let (header, predictions) = numbers(&predicted);
    assert_eq!(header, ["row", "target", "target_sd", "target_low", "target_high"]);
    assert_eq!(predictions.len(), rows.len());
    let mut inside = 0;
    for (row, prediction) in rows.iter().zip(&predictions) {
        let mut expected = found["intercept"].as_f64().expect("a number");
        for (value, name) in row.iter().zip(&names).filter(|(_, name)| *name != "target") {
            expected += value * found["coefficients"][name].as_f64().expect("a coefficient");
        }
        assert!((prediction[1] - expected).abs() < 1e-8);
        assert!((prediction[4] - prediction[3] - 2.0 * 1.959964 * prediction[2]).abs() < 1e-4);
        inside += usize::from((prediction[3]..prediction[4]).contains(&row[10]));
    }
    let share = inside as f64 / rows.len() as f64;
    assert!((0.92..0.98).contains(&share), "95 % intervals hold {share}");
    // A file instead of standard output, and narrower intervals.
    let out = folder.path().join("predictions.csv");
    succeed(
        wd().arg("predict")
            .arg(&model)
            .arg(table("diabetes.csv"))
            .args(["--level", "0.5", "--out"])
            .arg(&out),
    );
    let (_, narrower) = numbers(&std::fs::read_to_string(&out).expect("predictions"));
    assert!(narrower[0][4] - narrower[0][3] < predictions[0][4] - predictions[0][3]);
}

#[test]
fn groups_and_several_targets() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let model = folder.path().join("model.json");
    let grouped = json(
        wd().arg("evidence")
            .arg(table("diabetes.csv"))
            .args(["--target", "target", "--groups", "serum=s?", "body=bmi,bp", "--save"])
            .arg(&model),
    );
    let lambdas = grouped["lambda"].as_object().expect("a λ for each group");
    let names: Vec<&String> = lambdas.keys().collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert_eq!(grouped["groups"][0]["columns"].as_array().map(Vec::len), Some(6));
    let one = json(wd().arg("evidence").arg(table("diabetes.csv")).args(["--target", "target"]));
    assert!(grouped["log_evidence"].as_f64() > one["log_evidence"].as_f64());
    let predicted = text(wd().arg("predict").arg(&model).arg(table("diabetes.csv")));
    assert_eq!(predicted.lines().next(), Some("row,target"), "groups give no interval");

    let both =
        json(wd().arg("evidence").arg(table("diabetes.csv")).args(["--target", "target,bmi"]));
    let both = both.as_array().expect("an object for each target");
    assert_eq!((&both[0]["target"], &both[1]["target"]), (&"target".into(), &"bmi".into()));
    let alone = json(
        wd().arg("evidence")
            .arg(table("diabetes.csv"))
            .args(["--target", "bmi", "--drop", "target"]),
    );
    close(&both[1]["lambda"], alone["lambda"].as_f64().expect("a number"), 1e-9);
}

#[test]
fn classes_get_probabilities() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let model = folder.path().join("model.json");
    let found = json(
        wd().arg("evidence")
            .arg(table("breast_cancer.csv"))
            .args(["--target", "benign", "--family", "logistic", "--save"])
            .arg(&model),
    );
    assert_eq!(found["beta"], 1.0);
    let (header, predictions) =
        numbers(&text(wd().arg("predict").arg(&model).arg(table("breast_cancer.csv"))));
    assert_eq!(header, ["row", "benign", "probability_of_1"]);
    let (names, rows) =
        numbers(&std::fs::read_to_string(table("breast_cancer.csv")).expect("the table"));
    let target = names.iter().position(|name| name == "benign").expect("the target");
    let right = rows
        .iter()
        .zip(&predictions)
        .filter(|(row, prediction)| row[target] == prediction[1])
        .count();
    assert!(right > 550, "{right} of 569");
    // The mode's probabilities; those averaged over the posterior are nearer to a half.
    let (_, averaged) = numbers(&text(
        wd().arg("predict").arg(&model).arg(table("breast_cancer.csv")).arg("--average"),
    ));
    for ((row, [at_mode]), average) in
        rows.iter().zip(predictions.iter().map(|row| [row[2]])).zip(&averaged)
    {
        let mut eta = found["intercept"].as_f64().expect("a number");
        for (value, name) in row.iter().zip(&names).filter(|(_, name)| *name != "benign") {
            eta += value * found["coefficients"][name].as_f64().expect("a coefficient");
        }
        assert!((at_mode - 1.0 / (1.0 + (-eta).exp())).abs() < 1e-9);
        assert!((average[2] - 0.5).abs() <= (at_mode - 0.5).abs());
    }
    let surer = |rows: &[Vec<f64>]| rows.iter().filter(|row| (row[2] - 0.5).abs() > 0.49).count();
    assert!(surer(&averaged) < surer(&predictions));
    let conventions = found["conventions"].as_array().expect("conventions");
    let c = conventions.iter().find(|row| row["name"] == "C").expect("scikit-learn's");
    close(&c["value"], 1.0 / found["lambda"].as_f64().expect("a number"), 1e-12);
}

#[test]
fn classes_and_counts_are_left_out_one_by_one() {
    for words in [
        ["breast_cancer.csv", "benign", "logistic"],
        ["breast_cancer.csv", "benign", "softmax"],
        ["diabetes.csv", "target", "poisson"],
    ] {
        let found = json(wd().arg("evidence").arg(table(words[0])).args([
            "--target",
            words[1],
            "--family",
            words[2],
            "--points",
            "12",
            "--compare",
            "loo,cv:10",
        ]));
        let path = found["path"].as_array().expect("a path");
        let here = path
            .iter()
            .find(|point| point["lambda"] == found["lambda"])
            .expect("the path passes through the choice");
        let of = |key: &str| here[key].as_f64().expect(key);
        // Nine tenths of the rows leave a little more out, and ten folds are ten draws.
        assert!(of("leave-one-out") > of("training_error"));
        assert!((of("leave-one-out") / of("10-fold CV") - 1.0).abs() < 0.15, "{here}");
        // That it is approximate is said.
        assert!(found["notes"].as_array().is_some_and(|notes| !notes.is_empty()));
    }
}

#[test]
fn conventions_count_lambda_as_the_libraries_do() {
    let of = |words: &str| {
        let words: Vec<&str> = words.split(' ').collect();
        let found = json(
            wd().arg("evidence").arg(table(words[0])).args(&words[1..]).args(["--points", "5"]),
        );
        let rows = found["conventions"].as_array().expect("conventions");
        let values: Vec<f64> =
            rows.iter().map(|row| row["value"].as_f64().expect("a number")).collect();
        let calls: Vec<String> =
            rows.iter().map(|row| row["call"].as_str().expect("a call").to_owned()).collect();
        (found, values, calls)
    };
    let compare = |values: &[f64], expected: &[f64]| {
        assert_eq!(values.len(), expected.len());
        for (value, expected) in values.iter().zip(expected) {
            assert!((value / expected - 1.0).abs() < 1e-12, "{value} {expected}");
        }
    };
    let (found, values, calls) = of("diabetes.csv --target target");
    let (_, rows) = numbers(&std::fs::read_to_string(table("diabetes.csv")).expect("the table"));
    let target: Vec<f64> = rows.iter().map(|row| row[row.len() - 1]).collect();
    let mean = target.iter().sum::<f64>() / 442.0;
    let deviation = (target.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / 442.0).sqrt();
    let (lambda, alpha) = (found["lambda"].as_f64(), found["alpha"].as_f64());
    let (lambda, alpha) = (lambda.expect("λ"), alpha.expect("α"));
    compare(
        &values,
        &[lambda, lambda * deviation / 442.0, 2.0 * lambda / 442.0, alpha.sqrt().recip(), lambda],
    );
    assert!(calls[0].starts_with("make_pipeline(StandardScaler(), Ridge("));
    assert!(calls[1].contains("standardize = TRUE, thresh"), "{}", calls[1]);
    assert!(calls[2].contains("{\"params\": [model.bias]}"), "{}", calls[2]);

    for (words, n, family, is_inverse) in [
        ("breast_cancer.csv --target benign --family logistic", 569.0, "binomial", true),
        ("breast_cancer.csv --target benign --family softmax", 569.0, "multinomial", true),
        ("diabetes.csv --target target --family poisson", 442.0, "poisson", false),
    ] {
        let (found, values, calls) = of(&format!("{words} --standardize false"));
        let lambda = found["lambda"].as_f64().expect("λ");
        let sklearn = if is_inverse { 1.0 / lambda } else { lambda / n };
        let mut expected = vec![sklearn, lambda / n, lambda / n, lambda.sqrt().recip(), lambda];
        // Of two classes scikit-learn has one list of coefficients where softmax has two.
        let shift = usize::from(family == "multinomial");
        expected.drain(..shift);
        compare(&values, &expected);
        assert!(shift == 1 || calls[0].ends_with("max_iter=10000).fit(X, y)"), "{}", calls[0]);
        let (glmnet, torch) = (&calls[1 - shift], &calls[2 - shift]);
        assert!(glmnet.contains(family) && glmnet.contains("standardize = FALSE"));
        assert!(torch.contains("{\"params\": [model.bias]}"), "{torch}");
    }
}

#[test]
fn the_report_is_one_well_formed_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let report = folder.path().join("report.html");
    succeed(
        wd().arg("evidence")
            .arg(table("diabetes.csv"))
            .args(["--target", "target", "--compare", "loo,gcv,cv:5", "--out"])
            .arg(&report),
    );
    let page = std::fs::read_to_string(&report).expect("the report");
    for part in [
        "choice-curves",
        "coefficient-paths",
        "calibration-figure",
        "id=\"prior\"",
        "leave-one-out",
        "Ridge(alpha=",
        "--compare loo,gcv,cv:5",
    ] {
        assert!(page.contains(part), "no {part} in the report");
    }
    assert!(!page.contains("NaN") && !page.contains("http://") && !page.contains("https://"));
}

#[test]
fn the_report_is_the_page_that_the_library_gives() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let report = folder.path().join("report.html");
    let data = table("diabetes.csv");
    succeed(wd().arg("evidence").arg(&data).args(["--target", "target", "--out"]).arg(&report));
    let analysis = fit(&[&data], &Request::new("target")).expect("a fit");
    let path = |path: &Path| quoted(&path.display().to_string());
    let command = format!("wd evidence {} --target target --out {}", path(&data), path(&report));
    let page = analysis.page(&Context { commands: vec![command], ..Context::default() });
    assert_eq!(std::fs::read_to_string(&report).expect("the report"), page.html());
}

#[test]
fn a_hold_out_of_the_training_rows_is_the_training_error() {
    let found = json(
        wd().arg("evidence")
            .arg(table("diabetes.csv"))
            .args(["--target", "target", "--compare"])
            .arg(format!("holdout:{}", table("diabetes.csv").display())),
    );
    for point in found["path"].as_array().expect("a path") {
        close(&point["hold-out"], point["training_error"].as_f64().expect("a number"), 1e-9);
    }
}

#[test]
fn what_became_of_the_columns_is_told() {
    let words = ["--no-header", "--target", "column65", "--drop", "column2"];
    let mut command = wd();
    command.arg("evidence").arg(table("digits.csv.gz")).args(words);
    let shown = text(&mut command);
    assert!(!shown.contains('\u{1b}'), "colour without a terminal");
    let found = json(&mut command);
    assert_eq!((&found["rows"], &found["rank"]), (&1797.into(), &60.into()));
    assert_eq!(found["design"]["dropped"][0]["name"], "column2");
    assert_eq!(found["constant_columns"][0], "column1");
}

#[test]
fn what_cannot_be_followed_is_named_as_it_is_typed() {
    let diabetes = table("diabetes.csv");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let sums = folder.path().join("sums.json");
    succeed(wd().arg("evidence").arg(&diabetes).args(["--target", "target", "--sums"]).arg(&sums));
    let written = std::fs::read(&sums).expect("the sums");
    let cases: [(&Path, &[&str], &str); 11] = [
        (&diabetes, &["--target", "target", "--compare", "aic"], "--compare aic:"),
        (&diabetes, &["--target", "target", "--compare", "cv:1"], "--compare cv:1:"),
        (&diabetes, &["--target", "target", "--points", "1"], "--points 1:"),
        (&diabetes, &["--target", "target", "--delimiter", "ab"], "--delimiter"),
        (&diabetes, &["--target", "target", "--groups", "serum=z*"], "--groups serum=z*:"),
        (&diabetes, &["--target", "target,bmi", "--family", "poisson"], "--target target,bmi:"),
        (&diabetes, &["--target", "target,bmi", "--out", "none.html"], "--out"),
        (&diabetes, &["--target", "targte"], "`target`"),
        (&diabetes, &["--target", "target", "--compare", "holdout:none.csv"], "none.csv"),
        (&sums, &["--target", "target", "--compare", "loo"], "--compare loo:"),
        (&sums, &["--target", "target", "--sums", "sums.json"], "--sums sums.json"),
    ];
    for (path, arguments, expected) in cases {
        let message =
            fail(wd().arg("evidence").arg(path).args(arguments).current_dir(folder.path()));
        assert!(message.contains(expected), "{arguments:?} gave:\n{message}");
    }
    assert_eq!(std::fs::read(&sums).expect("the sums"), written);
    let message = fail(wd().arg("predict").arg(&diabetes).arg(&diabetes));
    assert!(message.contains("diabetes.csv"), "{message}");
    let message = fail(wd().arg("predict").arg(&sums).arg(&diabetes).args(["--level", "2"]));
    assert!(message.contains("sums.json"), "{message}");
}

#[test]
fn numbers_without_an_end_are_written_as_such() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let silent = "a,b,c,d,e,y\n1,2,5,3,1,2\n2,1,3,5,7,3\n3,7,1,4,2,9\n4,4,2,9,8,1\n5,1,1,8,3,4\n";
    let exact = "a,b,y\n1,2,3\n2,1,3\n3,5,8\n4,4,8\n5,1,6\n";
    for (table, outcome) in [(silent, "no-signal"), (exact, "noiseless")] {
        let path = folder.path().join("few.csv");
        std::fs::write(&path, table).expect("a writable folder");
        let mut command = wd();
        command.arg("evidence").arg(&path).args(["--target", "y"]);
        let words = text(&mut command);
        for wrong in ["NaN", "inf ", "inf:", "inf\n"] {
            assert!(!words.contains(wrong), "«{wrong}» in {words}");
        }
        assert_eq!(json(&mut command)["outcome"], outcome);
    }
}

#[test]
fn missing_cells_are_told_how_to_mend_where_they_are_met() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a writable folder");
        path
    };
    let whole = file("whole.csv", "a,b,y\n1,2,1\n2,1,3\n3,5,2\n4,4,5\n5,1,4\n");
    let model = folder.path().join("model.json");
    succeed(wd().arg("evidence").arg(&whole).args(["--target", "y", "--save"]).arg(&model));
    let holes = file("holes.csv", "a,b\n1,2\n2,\n");
    // The row is there, and has no prediction.
    let output = succeed(wd().arg("predict").arg(&model).arg(&holes));
    let rows = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(rows.lines().nth(2), Some("2,,,,"), "{rows}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("Predicted 1 row, left out 1: 1 row with empty cells (`b` 1)."),
        "{said}"
    );
    let strict = ["--unseen", "refuse"];
    let message = fail(wd().arg("predict").arg(&model).arg(&holes).args(strict));
    assert!(message.contains("`b` in 1 row"), "{message}");
    for part in ["fit the model again", "--impute mean"] {
        assert!(message.contains(part), "no «{part}» in {message}");
    }
    assert!(!message.contains("--drop"), "{message}");
    // A model that was fitted so fills the cell.
    succeed(
        wd().arg("evidence")
            .arg(&whole)
            .args(["--target", "y", "--impute", "mean", "--save"])
            .arg(&model),
    );
    succeed(wd().arg("predict").arg(&model).arg(&holes));
    let untold = file("untold.csv", "a,b,y\n1,2,1\n2,1,\n3,5,2\n4,4,5\n5,1,4\n");
    for impute in [&[][..], &["--impute", "mean"]] {
        let message = fail(wd().arg("evidence").arg(&untold).args(["--target", "y"]).args(impute));
        assert!(message.contains("--drop-missing-rows"), "{message}");
        assert!(!message.contains("--impute"), "{message}");
    }
}

#[test]
fn the_page_of_the_linear_model_deals_the_folds_of_the_command() {
    let found = json(wd().arg("evidence").arg(table("diabetes.csv")).args([
        "--target",
        "target",
        "--compare",
        "cv:10",
    ]));
    let by_folds = found["comparison"][1]["lambda"].as_f64().expect("a number");
    let path = wd_studies::prior::LambdaPath::shipped().expect("the shipped table");
    let place = path.least(&path.folds.mean_squared_errors).expect("a least error");
    // Each has a grid of its own.
    let times = path.lambdas[place] / by_folds;
    assert!((0.8..1.25).contains(&times), "{} and {by_folds}", path.lambdas[place]);
}
