//! From a file to an answer, as a notebook would ask.

use std::path::{Path, PathBuf};

use wd_data::table::Reading;
use wd_evidence::Intercept;
use wd_evidence::fit::{
    Analysis, Criteria, Family, FitError, Groups, Model, Predicted, PredictionOptions, Request,
    Sums, fit, fit_targets, sum,
};
use wd_page::{Context, Terminal};

/// What a case asks for otherwise.
type Change = fn(&mut Request);

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpora/tables").join(name)
}

/// A request without what only figures show.
fn request(target: &str) -> Request {
    Request { figures: false, ..Request::new(target) }
}

/// The option that a refusal names, with what it holds.
#[track_caller]
fn refused<T>(result: Result<T, FitError>) -> (&'static str, String) {
    match result {
        Err(FitError::Option { option, given, .. }) => (option, given),
        Err(other) => panic!("another refusal: {other}"),
        Ok(_) => panic!("nothing was refused"),
    }
}

/// What a terminal shows, wherever the table lies.
fn shown(analysis: &Analysis) -> String {
    let mut analysis = analysis.clone();
    analysis.table.files = vec![analysis.table.file_names().into()];
    analysis.page(&Context::default()).terminal(&Terminal { rows: 4, ..Terminal::plain() })
}

#[test]
fn a_gaussian_fit_as_a_person_sees_it() {
    let compare = Some(Criteria::read(&["loo", "gcv", "cv:10"]).unwrap());
    let found = fit(&[shipped("diabetes.csv")], &Request { compare, ..request("target") }).unwrap();
    insta::assert_snapshot!(shown(&found));
}

#[test]
fn groups_as_a_person_sees_them() {
    let groups = Groups::read(&["serum=s?", "body=bmi,bp"]).unwrap();
    let found = fit(&[shipped("diabetes.csv")], &Request { groups, ..request("target") }).unwrap();
    insta::assert_snapshot!(shown(&found));
}

#[test]
fn classes_and_counts_as_a_person_sees_them() {
    for (table, target, family) in [
        ("breast_cancer.csv", "benign", Family::Logistic),
        ("breast_cancer.csv", "benign", Family::Softmax),
        ("diabetes.csv", "target", Family::Poisson),
    ] {
        let asked = Request { family, points: Some(12), ..request(target) };
        let found = fit(&[shipped(table)], &asked).unwrap();
        insta::assert_snapshot!(family.name(), shown(&found));
    }
}

#[test]
fn several_targets_share_a_table_and_have_no_figures() {
    let mut asked = request("target");
    asked.table.targets.push("bmi".to_owned());
    assert_eq!(refused(fit(&[shipped("diabetes.csv")], &asked)).0, "target");
    let both = fit_targets(&[shipped("diabetes.csv")], &asked).unwrap();
    assert_eq!([&both[0].target, &both[1].target], ["target", "bmi"]);
    assert!(both.iter().all(|analysis| !analysis.columns.contains(&"bmi".to_owned())));
    asked.family = Family::Poisson;
    assert_eq!(refused(fit_targets(&[shipped("diabetes.csv")], &asked)).0, "target");
}

#[test]
fn the_figures_need_another_pass_and_change_nothing_else() {
    let file = [shipped("diabetes.csv")];
    let (with, without) =
        (fit(&file, &Request::new("target")).unwrap(), fit(&file, &request("target")).unwrap());
    assert_eq!((with.coefficient_paths.len(), without.coefficient_paths.len()), (10, 0));
    assert!(with.calibration.is_some() && without.calibration.is_none());
    let json = |analysis: &Analysis| serde_json::to_value(analysis).unwrap();
    assert_eq!(json(&with), json(&without));
}

#[test]
fn options_that_cannot_be_followed_are_named() {
    let file = [shipped("diabetes.csv")];
    let cases = [
        (Request { points: Some(1), ..request("target") }, ("points", "1")),
        (
            Request {
                compare: Some(Criteria { folds: 1, ..Criteria::default() }),
                ..request("target")
            },
            ("compare", "cv:1"),
        ),
        (
            Request {
                compare: Some(Criteria::read(&["gcv"]).unwrap()),
                family: Family::Poisson,
                ..request("target")
            },
            ("compare", "gcv"),
        ),
        (
            Request { groups: Groups::Each, family: Family::Logistic, ..request("sex") },
            ("groups", "each"),
        ),
        (
            Request { groups: Groups::read(&["serum=z*"]).unwrap(), ..request("target") },
            ("groups", "serum=z*"),
        ),
    ];
    for (request, (option, given)) in cases {
        assert_eq!(refused(fit(&file, &request)), (option, given.to_owned()));
    }
    let twice = fit(&[&file[0], &file[0]], &request("target"));
    assert!(matches!(twice, Err(FitError::Twice { .. })));
    let none: [&Path; 0] = [];
    assert!(matches!(fit(&none, &request("target")), Err(FitError::NoTable)));
}

#[test]
fn words_become_criteria_and_groups() {
    let criteria = Criteria::read(&["loo", "cv:5", "holdout:a:b.csv"]).unwrap();
    assert!(criteria.leave_one_out && !criteria.generalized);
    assert_eq!((criteria.folds, criteria.hold_out), (5, Some(PathBuf::from("a:b.csv"))));
    for wrong in ["aic", "cv:0", "cv:x", "loo:3", "holdout:", "gcv:2"] {
        assert_eq!(refused(Criteria::read(&[wrong])), ("compare", wrong.to_owned()));
    }
    let grouped = |words: &[&str]| {
        fit(
            &[shipped("diabetes.csv")],
            &Request { groups: Groups::read(words)?, ..request("target") },
        )
    };
    let names: Vec<(String, usize)> = grouped(&["serum=s?", "body=bmi,bp"])
        .unwrap()
        .groups
        .into_iter()
        .map(|group| (group.name, group.columns.len()))
        .collect();
    let expected = [("serum", 6), ("body", 2), ("the rest", 2)];
    assert_eq!(names, expected.map(|(name, columns)| (name.to_owned(), columns)));
    for (words, at_fault) in [
        (["a=s*", "b=s1"], "b=s1"),
        (["a=age", "b=z*"], "b=z*"),
        (["a=age", "b=[s"], "b=[s"),
        (["a=age", "each"], "each"),
    ] {
        assert_eq!(refused(grouped(&words)), ("groups", at_fault.to_owned()));
    }
}

#[test]
fn columns_and_tables_without_an_answer_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let column_of = |text: &str, family: Family| {
        let path = folder.path().join("table.csv");
        std::fs::write(&path, text).unwrap();
        match fit(&[path], &Request { family, ..request("y") }) {
            Err(FitError::Column { column, .. }) => column,
            Err(FitError::OneDegreeOfFreedom { .. }) => "(rows)".to_owned(),
            Err(other) => panic!("another refusal: {other}"),
            Ok(_) => panic!("an answer to\n{text}"),
        }
    };
    assert_eq!(column_of("x,y\n1,5\n2,5\n3,5\n", Family::Gaussian), "y");
    assert_eq!(column_of("x,y\n1,1\n1e-200,2\n2e-200,3\n3e200,3\n", Family::Gaussian), "x");
    assert_eq!(column_of("x,y\n1,a\n2,b\n3,c\n4,a\n", Family::Logistic), "y");
    assert_eq!(column_of("x,y\n1,a\n2,a\n", Family::Softmax), "y");
    assert_eq!(column_of("a,b,y\n1,2,3\n2,1,5\n", Family::Gaussian), "(rows)");
}

#[test]
fn sums_and_models_are_the_same_when_they_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let (file, asked) = ([shipped("diabetes.csv")], request("target"));
    let sums = sum(&file, &asked).unwrap();
    let path = folder.path().join("sums.json");
    std::fs::write(&path, sums.to_json().unwrap()).unwrap();
    assert_eq!(Sums::read(&path).unwrap().to_json().unwrap(), sums.to_json().unwrap());
    let (of_sums, of_rows) = (fit(&[&path], &asked).unwrap(), fit(&file, &asked).unwrap());
    assert_eq!(of_sums.lambda, of_rows.lambda);
    let loo = Request { compare: Some(Criteria::read(&["loo"]).unwrap()), ..request("target") };
    assert_eq!(refused(fit(&[&path], &loo)), ("compare", "loo".to_owned()));
    let counts = Request { family: Family::Poisson, ..request("target") };
    assert_eq!(refused(fit(&[&path], &counts)), ("family", "poisson".to_owned()));
    assert_eq!(refused(sum(&file, &counts)), ("family", "poisson".to_owned()));

    let model = Model::new(&[of_rows], &asked.table.reading).unwrap();
    let path = folder.path().join("model.json");
    std::fs::write(&path, model.to_json().unwrap()).unwrap();
    let read = Model::read(&path).unwrap();
    let first = |model: &Model| -> Vec<Predicted> {
        let mut predictions = model.predict(&file[0], &PredictionOptions::default()).unwrap();
        assert_eq!(predictions.columns().len(), 5);
        let rows = predictions.next_block().unwrap().unwrap();
        assert!(predictions.next_block().unwrap().is_none_or(|more| !more.is_empty()));
        rows[0].clone()
    };
    assert_eq!(first(&model), first(&read));
    for level in [0.0, 1.0, f64::NAN] {
        let options = PredictionOptions { level, ..PredictionOptions::default() };
        assert_eq!(refused(read.predict(&file[0], &options)).0, "level");
    }
}

#[test]
fn the_intercept_is_chosen_by_the_shape_unless_it_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wide.csv");
    std::fs::write(&path, "a,b,c,y\n1,2,5,2\n2,1,3,3\n3,7,1,9\n4,4,2,1\n").unwrap();
    let with = |intercept| fit(&[&path], &Request { intercept, ..request("y") }).unwrap();
    let (chosen, integrated) = (with(None), with(Some(Intercept::Integrated)));
    assert_eq!(chosen.log_evidence, integrated.log_evidence);
    // What was chosen is said.
    assert_eq!(chosen.notes.len(), integrated.notes.len() + 1);
    assert_ne!(chosen.log_evidence, with(Some(Intercept::Absent)).log_evidence);
}

/// A folder with the first and the last rows of diabetes.csv: a.csv and b.csv.
fn parts() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let text = std::fs::read_to_string(shipped("diabetes.csv")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, lines: &[&str]| {
        let path = folder.path().join(name);
        std::fs::write(&path, lines.join("\n")).unwrap();
        path
    };
    let last = [&lines[..1], &lines[200..]].concat();
    let (first, second) = (write("a.csv", &lines[..200]), write("b.csv", &last));
    (folder, first, second)
}

#[test]
fn sums_of_other_columns_do_not_add() {
    let (folder, a, b) = parts();
    let write = |table: &Path, name: &str, request: &Request| {
        let path = folder.path().join(name);
        std::fs::write(&path, sum(&[table], request).unwrap().to_json().unwrap()).unwrap();
        path
    };
    let first = write(&a, "a.json", &request("target"));
    let with = |change: fn(&mut Request)| {
        let mut request = request("target");
        change(&mut request);
        request
    };
    let cases: [fn(&mut Request); 4] = [
        |request| request.table.targets = vec!["bmi".to_owned()],
        |request| request.table.drop = vec!["s1".to_owned()],
        |request| request.table.weights = Some("age".to_owned()),
        |request| request.table.categorical = vec!["sex".to_owned()],
    ];
    for change in cases {
        let second = write(&b, "b.json", &with(change));
        match fit(&[&first, &second], &request("target")) {
            Err(FitError::Apart { first: here, path, .. }) => {
                assert_eq!((here, path), (first.clone(), second))
            }
            other => panic!("{other:?}"),
        }
    }
    // Options that would have given another design than the one that was summed.
    let cases: [(&str, Change); 5] = [
        ("target", |request| request.table.targets = vec!["bmi".to_owned()]),
        ("weights", |request| request.table.weights = Some("age".to_owned())),
        ("drop", |request| request.table.drop = vec!["age".to_owned()]),
        ("categorical", |request| request.table.categorical = vec!["sex".to_owned()]),
        ("impute", |request| request.table.impute_mean = true),
    ];
    for (option, change) in cases {
        assert_eq!(refused(fit(&[&first], &with(change))).0, option);
    }
    // A column more, or one less, in a later file.
    let less = folder.path().join("less.csv");
    std::fs::write(&less, "target,age\n1,2\n").unwrap();
    for files in [[&a, &less], [&less, &a]] {
        assert!(matches!(fit(&files, &request("target")), Err(FitError::Table(_))));
    }
}

#[test]
fn damaged_sums_are_refused() {
    let (folder, a, _) = parts();
    let path = folder.path().join("damaged.json");
    let text = sum(&[a], &request("target")).unwrap().to_json().unwrap();
    let whole: serde_json::Value = serde_json::from_str(&text).unwrap();
    let refuse = |text: &str| {
        std::fs::write(&path, text).unwrap();
        match fit(&[&path], &request("target")) {
            Err(FitError::File { path: named, .. }) => assert_eq!(named, path),
            // A design whose categories are none.
            Err(FitError::Table(_)) if text.contains("\"levels\":[]") => {}
            other => panic!("{other:?} of {text}"),
        }
    };
    refuse(&text[..text.len() / 2]);
    refuse("{}");
    let category =
        serde_json::json!({"name": "age", "encoding": "category", "levels": [], "imputed": null});
    let classes = serde_json::json!({"name": "target", "kind": "classes", "levels": ["a", "b"]});
    for (place, value) in [
        ("/format", "wd-sums-2".into()),
        ("/rows", 7.into()),
        ("/statistics/weight", 7.0.into()),
        ("/statistics/means/0", serde_json::Value::Null),
        ("/statistics/gram/0", (-1.0).into()),
        ("/statistics/gram/1", 1e9.into()),
        ("/statistics/columns", 3.into()),
        ("/design/features/0", category),
        ("/design/features", serde_json::json!([])),
        ("/design/targets/0", classes),
    ] {
        let mut damaged = whole.clone();
        *damaged.pointer_mut(place).unwrap() = value;
        refuse(&damaged.to_string());
    }
}

#[test]
fn damaged_models_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.json");
    let groups = Groups::Each;
    let text = |request: &Request| {
        let found = fit(&[shipped("diabetes.csv")], request).unwrap();
        Model::new(&[found], &request.table.reading).unwrap().to_json().unwrap()
    };
    let (whole, linear) =
        (text(&request("target")), text(&Request { groups, ..request("target") }));
    let number = "\"encoding\":\"number\",\"imputed\":null";
    let category = "\"encoding\":\"category\",\"levels\":[],\"imputed\":null";
    for damaged in [
        "{}".to_owned(),
        whole[..whole.len() / 2].to_owned(),
        whole.replacen("wd-model-1", "wd-model-9", 1),
        whole.replacen("\"family\":\"gaussian\"", "\"family\":\"gauss\"", 1),
        whole.replacen("\"beta\":", "\"beta\":-", 1),
        linear.replacen("\"coefficients\":[", "\"coefficients\":[1.0,", 1),
    ] {
        assert!(damaged != whole && damaged != linear);
        std::fs::write(&path, &damaged).unwrap();
        assert!(matches!(Model::read(&path), Err(FitError::File { .. })), "{damaged:.300}");
    }
    std::fs::write(&path, whole.replacen(number, category, 1)).unwrap();
    assert!(matches!(Model::read(&path), Err(FitError::Table(_))));
    std::fs::write(&path, whole.replacen("\"name\":\"bmi\"", "\"name\":\"bim\"", 1)).unwrap();
    let model = Model::read(&path).unwrap();
    let predicted = model.predict(&shipped("diabetes.csv"), &PredictionOptions::default());
    assert!(matches!(predicted, Err(FitError::Table(_))));
}

#[test]
fn a_table_of_holes_is_refused_once_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let whole = file("whole.csv", "a,b,y\n1,2,1\n2,1,3\n3,5,2\n4,4,5\n5,1,4\n");
    let holes = file("holes.csv", "a,b\n1,2\n2,\n");
    let untold = file("untold.csv", "a,b,y\n1,2,1\n2,1,\n3,5,2\n4,4,5\n5,1,4\n");
    for impute_mean in [false, true] {
        let mut asked = request("y");
        asked.table.impute_mean = impute_mean;
        let model = Model::new(&[fit(&[&whole], &asked).unwrap()], &asked.table.reading).unwrap();
        let mut predictions = model.predict(&holes, &PredictionOptions::default()).unwrap();
        // A model that was fitted so fills the cell; another leaves the row without a prediction.
        let rows = predictions.next_block().unwrap().unwrap();
        assert_eq!(
            rows.iter().map(|row| &row[0]).collect::<Vec<_>>(),
            [&Predicted::Row(1), &Predicted::Row(2)]
        );
        assert_eq!(rows[1][1] == Predicted::Missing, !impute_mean);
        assert!(predictions.next_block().unwrap().is_none());
        let said = predictions.used();
        match impute_mean {
            true => assert_eq!(
                said,
                "Predicted 2 rows, left out none. Filled 1 empty cell with the means of their \
                 columns (`b` 1)."
            ),
            false => {
                assert_eq!(said, "Predicted 1 row, left out 1: 1 row with empty cells (`b` 1).")
            }
        }
        let strict =
            PredictionOptions { reading: Some(Reading::default()), ..PredictionOptions::default() };
        let mut refused = model.predict(&holes, &strict).unwrap();
        assert_eq!(refused.next_block().is_ok(), impute_mean);
        // Targets are never filled.
        assert!(matches!(fit(&[&untold], &asked), Err(FitError::Table(_))));
    }
}

/// A CSV file in a folder of its own.
fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

/// A number from −1 to 1 that looks like chance.
fn scattered(row: usize, column: usize) -> f64 {
    ((row * 7919 + column * 104_729 + row * row * column * 31) % 2003) as f64 / 1001.5 - 1.0
}

#[test]
fn leave_one_out_has_its_minimum_between_points() {
    let compare = Some(Criteria::read(&["loo"]).unwrap());
    let found = fit(&[shipped("diabetes.csv")], &Request { compare, ..request("target") }).unwrap();
    let choice = &found.comparison.choices[1];
    assert!((choice.lambda - 1.83476).abs() < 1e-4, "{}", choice.lambda);
    assert_eq!(choice.costs[1], 0.0);
}

#[test]
fn columns_that_repeat_others_are_named_with_their_factor_and_rank() {
    let rows: String = (0..60)
        .map(|row| {
            let (a, b) = (scattered(row, 1), scattered(row, 2));
            let y = a - 2.0 * b + 0.1 * scattered(row, 3);
            format!("{a},{b},{},{},{},1,{y}\n", a + b, 1000.0 * a, 1.1 * y)
        })
        .collect();
    let (_folder, path) = written(&format!("a,b,a_plus_b,a_in_mm,y_eur,const,y\n{rows}"));
    let found = fit(&[path], &request("y")).unwrap();
    let remarks = found.table.remarks(true).join("\n");
    for part in [
        "`a_in_mm` is 1000 × `a`",
        "`y_eur` is 1.1 × `y` in every row: the target itself stands among the columns",
        "The 5 columns that vary have rank 3",
    ] {
        assert!(remarks.contains(part), "no «{part}» in {remarks}");
    }
    let deviations = &found.outputs[0].deviations;
    assert!(deviations.is_empty() || (deviations[5].is_nan() && !deviations[0].is_nan()));
}

#[test]
fn as_many_columns_as_rows_are_judged_by_rows_left_out() {
    let names: Vec<String> = (0..40).map(|column| format!("x{column}")).collect();
    let rows: String = (0..20)
        .map(|row| {
            let cells: Vec<String> =
                (0..40).map(|column| scattered(row, column + 1).to_string()).collect();
            let y = scattered(row, 1) + scattered(row, 2) + 0.5 * scattered(row, 77);
            format!("{},{y}\n", cells.join(","))
        })
        .collect();
    let (_folder, path) = written(&format!("{},y\n{rows}", names.join(",")));
    let found = fit(&[path], &request("y")).unwrap();
    let said = shown(&found);
    assert!(!said.contains("there is no noise"), "{said}");
    if found.outcome == wd_evidence::Outcome::Noiseless {
        assert!(said.contains("fit any target exactly"), "{said}");
        if found.lambda > 0.0 {
            assert!(said.contains("by leave-one-out: the evidence has no maximum"), "{said}");
            assert!(said.contains("nats above its value"), "{said}");
        }
    }
}
