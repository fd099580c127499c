//! CSV files: what is inferred, encoded and refused.

use wd_data::table::{DesignOptions, Encoding, Reading, TableOption, TargetKind};

use super::support::{file, read, read_text, refusal, targets};

const HOUSES: &str =
    "area,street,rooms,price\n100,Elm,3,10.5\n80,Oak,2,8\n120,Ash,4,12\n60,Oak,2,7.25\n";

#[test]
fn categories_become_indicators_beside_their_baseline() {
    let whole = read_text(HOUSES, &targets(&["price"])).unwrap();
    assert_eq!(whole.columns, ["area", "street=Elm", "street=Oak", "rooms"]);
    assert_eq!(
        whole.rows,
        [
            [100.0, 1.0, 0.0, 3.0],
            [80.0, 0.0, 1.0, 2.0],
            [120.0, 0.0, 0.0, 4.0],
            [60.0, 0.0, 1.0, 2.0]
        ]
    );
    assert_eq!(whole.targets, [10.5, 8.0, 12.0, 7.25]);
    assert!(whole.weights.is_empty());
    let Encoding::Category { levels, .. } = &whole.design.features[1].encoding else {
        panic!("a category")
    };
    assert_eq!(levels, &["Ash", "Elm", "Oak"]);
}

#[test]
fn numbers_can_be_labels_and_order_as_numbers() {
    let text = "zone,y\n10,1\n9,2\n100,3\n9,4\n";
    let options = DesignOptions { categorical: vec!["zone".to_owned()], ..targets(&["y"]) };
    let whole = read_text(text, &options).unwrap();
    assert_eq!(whole.columns, ["zone=10", "zone=100"]);
    assert_eq!(whole.rows, [[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.0, 0.0]]);
}

#[test]
fn classes_weights_and_dropped_columns() {
    let text = "id,x,w,class\n7,1,1,yes\n8,2,0.5,no\n9,3,2,maybe\n";
    let options = DesignOptions {
        classes: true,
        weights: Some("w".to_owned()),
        drop: vec!["id".to_owned()],
        ..targets(&["class"])
    };
    let whole = read_text(text, &options).unwrap();
    assert_eq!(whole.columns, ["x"]);
    assert_eq!(whole.weights, [1.0, 0.5, 2.0]);
    assert_eq!(whole.targets, [2.0, 1.0, 0.0]);
    let levels = ["maybe", "no", "yes"].map(str::to_owned).to_vec();
    assert_eq!(whole.design.targets[0].kind, TargetKind::Classes { levels });
    assert_eq!(whole.design.dropped[0].name, "id");
    let negative = text.replace("0.5", "-0.5");
    let message = refusal(&negative, &options);
    assert!(message.contains("line 3, column `w`") && message.contains("negative"), "{message}");
}

#[test]
fn several_targets_stand_side_by_side() {
    let whole = read_text("x,a,b\n1,2,3\n4,5,7\n", &targets(&["b", "a"])).unwrap();
    assert_eq!(whole.targets, [3.0, 2.0, 7.0, 5.0]);
}

#[test]
fn delimiters_headers_and_marks_are_understood() {
    let dialects = [
        "x;y\n1;2\n3;5\n",
        "x\ty\r\n1\t2\r\n3\t5\r\n",
        "x|y\n1|2\n3|5",
        "\u{feff}x,y\n1,2\n3,5\n",
        "\"x\",\"y\"\n\"1\",\" 2 \"\n3,+5e0\n\n",
    ];
    for text in dialects {
        let whole = read_text(text, &targets(&["y"])).unwrap();
        assert_eq!(
            (whole.columns, whole.targets),
            (vec!["x".to_owned()], vec![2.0, 5.0]),
            "{text:?}"
        );
        assert_eq!(whole.rows, [[1.0], [3.0]]);
    }
    let options = DesignOptions {
        reading: Reading { delimiter: Some(b','), header: false, ..Reading::default() },
        ..targets(&["column2"])
    };
    let whole = read_text("1,2\n3,5\n", &options).unwrap();
    assert_eq!((whole.rows, whole.targets), (vec![vec![1.0], vec![3.0]], vec![2.0, 5.0]));
    // R writes the names of rows under an empty name.
    let whole = read_text(",x,y\na,1,2\nb,3,5\n", &targets(&["y"])).unwrap();
    assert_eq!(whole.columns, ["column1=b", "x"]);
}

#[test]
fn compressed_files_are_the_same_table() {
    let plain = read_text(HOUSES, &targets(&["price"])).unwrap();
    let zstd = zstd::encode_all(HOUSES.as_bytes(), 1).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, HOUSES.as_bytes()).unwrap();
    for bytes in [zstd, gzip.finish().unwrap()] {
        let (_folder, path) = file("named.anything", &bytes);
        assert_eq!(read(&path, &targets(&["price"])).unwrap().rows, plain.rows);
    }
}

#[test]
fn missing_values_are_counted_and_placed() {
    let text = "a,b,street,y\n1,2,Elm,1\n,NA,Oak,2\n3,nan,,3\n4,NULL,Elm,4\n";
    let message = refusal(text, &targets(&["y"]));
    for part in [
        "`a` in 1 row (first: line 3)",
        "`b` in 3 rows (first: line 3)",
        "`street` in 1 row (first: line 4)",
    ] {
        assert!(message.contains(part), "no «{part}» in {message}");
    }
    let options = DesignOptions { impute_mean: true, ..targets(&["y"]) };
    let whole = read_text(text, &options).unwrap();
    assert_eq!(whole.columns, ["a", "b", "street=Oak"]);
    // Means of a: 8/3; of b: 2; share of Oak among the streets known: 1/3.
    assert!((whole.rows[1][0] - 8.0 / 3.0).abs() < 1e-12);
    assert_eq!(whole.rows[1][1..], [2.0, 1.0]);
    assert_eq!(whole.rows[2], [3.0, 2.0, 1.0 / 3.0]);
    let message =
        refusal("x,y\n1,2\n2,\n", &DesignOptions { impute_mean: true, ..targets(&["y"]) });
    assert!(
        message.contains("`y` in 1 row (first: line 3)"),
        "a target is never imputed: {message}"
    );
}

#[test]
fn constant_duplicate_and_numbering_columns_are_named() {
    let text = "id,a,b,c,k,y\n1,5,5,1,2,0\n2,6,6,1,2,1\n3,9,9,1,2,0\n4,-1,-1,2,2,1\n";
    let whole = read_text(text, &targets(&["y"])).unwrap();
    assert_eq!(whole.findings.constant, [(4, 2.0)]);
    assert_eq!(whole.findings.duplicate, [(2, 1)]);
    assert_eq!(whole.findings.numbering, [0]);
    assert_eq!(whole.findings.kept(5), [0, 1, 3]);
    let whole = read_text("k,x,y\nonly,1,2\nonly,3,4\n", &targets(&["y"])).unwrap();
    assert_eq!(whole.columns, ["x"]);
    assert!(whole.design.dropped[0].reason.contains("`only`"));
}

#[test]
fn a_table_longer_than_a_block_comes_whole() {
    let mut text = "x,z,y\n".to_owned();
    for row in 0..20_000 {
        text.push_str(&format!("{row},{},{}\n", ["p", "q", "r"][row % 3], 2 * row));
    }
    let whole = read_text(&text, &targets(&["y"])).unwrap();
    assert_eq!(whole.rows.len(), 20_000);
    for (row, values) in whole.rows.iter().enumerate() {
        let level = row % 3;
        let expected = [row as f64, f64::from(level == 1), f64::from(level == 2)];
        assert_eq!(values[..], expected);
        assert_eq!(whole.targets[row], 2.0 * row as f64);
    }
}

#[test]
fn what_cannot_be_used_is_refused_with_the_place_and_the_fix() {
    let mut late = "x,y\n".to_owned();
    late.push_str(&"1,2\n".repeat(5000));
    late.push_str("one,2\n");
    let texts: String = (0..5000).map(|row| format!("name{row},{row}\n")).collect();
    let cases = [
        ("", "it is empty"),
        ("x,y\n", "no rows below its first line"),
        ("1,2\n3,4\n", "numbers where names of columns should be"),
        ("x,x,y\n1,2,3\n", "columns 1 and 2 are both named `x`"),
        ("x,y\n1,2\n3\n", "line 3 has 1 field where the first line has 2"),
        ("x,y\ninf,2\n", "line 2, column `x`: holds an infinite number"),
        ("x,y\n1e999,2\n", "line 2, column `x`: holds an infinite number"),
        (&late, "column `x` of"),
        (&late, "1 of its 5001 cells is no number: `one` (on line 5002)"),
        ("x,y\n1,a\n2,b\n", "column `y`"),
        ("y\n1\n2\n", "no column is left"),
        ("z,Y\n1,2\n", "did you mean `Y`?"),
        ("z,w\n1,2\n", "it has `z`, `w`"),
        (&format!("n,y\n{texts}"), "line 4098, column `n`: is its 4097th different text"),
    ];
    for (text, expected) in cases {
        let message = refusal(text, &targets(&["y"]));
        assert!(message.contains(expected), "no «{expected}» in {message}");
    }
    let options = DesignOptions { drop: vec!["y".to_owned()], ..targets(&["y"]) };
    let message = refusal("x,y\n1,2\n", &options);
    assert!(message.contains("a target and left out at once"), "{message}");
    let (_folder, path) = file("latin.csv", b"x,y\ncaf\xe9,2\nb,3\n");
    let message = read(&path, &targets(&["y"])).unwrap_err().to_string();
    assert!(message.contains("line 2, column `x`: is not UTF-8"), "{message}");
    let (_folder, path) = file("book.xlsx", b"PK\x03\x04\x14\0\x06\0");
    let message = read(&path, &targets(&["y"])).unwrap_err().to_string();
    assert!(message.contains("export it as CSV"), "{message}");
}

/// An error names the option that mends it, so that whoever shows it can say how it is spelt there.
#[test]
fn the_option_that_mends_it_comes_with_an_error() {
    use TableOption::{
        Categorical, Classes, Comment, Dates, Decimal, Delimiter, Drop, DropMissingRows, Header,
        ImputeMean, Missing, Thousands,
    };
    let texts: String = (0..5000).map(|row| format!("name{row},{row}\n")).collect();
    let late = format!("x,y\n{}one,2\n", "1,2\n".repeat(5000));
    for (text, expected) in [
        ("1,2\n3,4\n", &[Header][..]),
        ("x,y\n", &[]),
        ("1,y\n", &[Header]),
        ("x,x,y\n1,2,3\n", &[]),
        ("3,3,y\n1,2,3\n", &[Header]),
        ("x,y\n1,2\n3\n", &[Delimiter, Comment]),
        ("x,y\n1,a\n2,b\n", &[Classes]),
        ("a;y\n1,5;2\n2,5;3\n", &[Decimal]),
        ("a;y\n1,500;2\n2,500;3\n", &[Thousands, Decimal]),
        ("a;y\n1,500,000;2\n2,500;3\n", &[Thousands]),
        ("a,y\n2023-01-31,2\n2023-02-28,3\n", &[Dates, Categorical, Drop]),
        ("a,y\n?,2\n1,3\n2,3\n", &[Missing, Categorical]),
        (&late, &[Missing, Categorical]),
        (&format!("n,y\n{texts}"), &[Drop]),
        ("x,y\n,1\n2,2\n", &[DropMissingRows, ImputeMean, Drop]),
        ("x,y\n1,1\n2,\n", &[DropMissingRows]),
        ("z,w\n1,2\n", &[]),
    ] {
        let error = read_text(text, &targets(&["y"])).unwrap_err();
        assert_eq!(error.options(), expected, "{error}");
    }
}

#[test]
fn another_table_of_the_design_is_encoded_alike() {
    let options = targets(&["price"]);
    let whole = read_text(HOUSES, &options).unwrap();
    // Other order of columns, no target, a column more.
    let (_folder, path) = file("new.csv", b"rooms,extra,street,area\n5,1,Oak,90\n1,2,Ash,50\n");
    let ignored = wd_data::table::TargetUse::Ignored;
    let mut blocks = whole.design.read(&path, &options.reading, ignored).unwrap();
    let block = blocks.next_block().unwrap().unwrap();
    assert_eq!(block.values, [90.0, 0.0, 1.0, 5.0, 50.0, 0.0, 0.0, 1.0]);
    assert!(block.targets.is_empty() && block.weights.is_none());
    let (_folder, path) = file("new.csv", b"rooms,street,area\n5,Oak,90\n1,Fir,50\n");
    let mut blocks = whole.design.read(&path, &options.reading, ignored).unwrap();
    let message = blocks.next_block().unwrap_err().to_string();
    assert!(message.contains("line 3, column `street`: `Fir` is a level"), "{message}");
}

#[test]
fn lines_are_numbered_alike_however_they_end() {
    let named = targets(&["y"]);
    let mut headerless = targets(&["column2"]);
    headerless.reading.header = false;
    for ending in ["\n", "\r\n"] {
        for (lines, options, place) in [
            (&["a,y", "1,2", "2,3", ",4"][..], &named, "first: line 4"),
            (&["a,y", "1,2", "2", "3,4"], &named, "line 3 has 1 field"),
            (&["\"a\nb\",y", "1,2", ",3"], &named, "first: line 4"),
            (&[",2", "1,2", "2,3"], &headerless, "first: line 1"),
            (&["1,2", ",2", "2,3"], &headerless, "first: line 2"),
        ] {
            let message = refusal(&lines.join(ending), options);
            assert!(message.contains(place), "no «{place}» for {ending:?} in {message}");
        }
    }
}

#[test]
fn decimal_commas_are_no_categories() {
    for (text, column) in [
        ("a;b;y\n1,5;2;3\n2;1;4\n3,5;7;1\n", "column `a`"),
        ("a;y\n1;3,25\n2;-4,5e1\n", "column `y`"),
        ("a,y\n\"1,5\",2\n\"2,5\",3\n", "column `a`"),
    ] {
        let message = refusal(text, &targets(&["y"]));
        for part in [column, "decimal commas", "`decimal`"] {
            assert!(message.contains(part), "no «{part}» in {message}");
        }
    }
    let options = DesignOptions { categorical: vec!["a".to_owned()], ..targets(&["y"]) };
    let whole = read_text("a;y\n1,5;2\n2,5;3\n", &options).unwrap();
    assert_eq!(whole.columns, ["a=2,5"]);
    // One other text makes categories of all.
    let whole = read_text("a;y\n1,5;2\nnone;3\n", &targets(&["y"])).unwrap();
    assert_eq!(whole.columns, ["a=none"]);
}

/// One stray quote, wherever it stands: every row is read, or the file is refused. None is lost.
#[test]
fn a_stray_quote_loses_no_row() {
    for line_end in ["\n", "\r\n"] {
        let rows: String =
            (0..40).map(|row| format!("{},{},n{}{line_end}", row % 7, row, row % 3)).collect();
        let text = format!("y,x,name{line_end}{rows}");
        let (mut whole, mut refused) = (0, 0);
        for at in 0..text.len() {
            let quoted = format!("{}\"{}", &text[..at], &text[at..]);
            match read_text(&quoted, &targets(&["y"])) {
                Ok(table) => {
                    whole += 1;
                    assert_eq!(table.rows.len(), 40, "a quote at {at} lost rows");
                }
                Err(_) => refused += 1,
            }
        }
        assert!(whole > 20 && refused > 100, "{whole} whole, {refused} refused");
    }
}

#[test]
fn a_quote_that_never_closes_is_named_by_its_line() {
    let rows: String = (0..300)
        .map(|row| format!("{},{}a\n", row % 13, if row == 20 { "\"" } else { "" }))
        .collect();
    let message = refusal(&format!("y,cat\n{rows}"), &targets(&["y"]));
    assert!(message.contains("opens on line 22"), "{message}");
    assert!(message.contains("never closed"), "{message}");
}

#[test]
fn a_byte_order_mark_hides_no_quote() {
    let whole = read_text("\u{feff}\"x,1\",y\n1,2\n2,3\n4,7\n", &targets(&["y"])).unwrap();
    assert_eq!(whole.columns, ["x,1"]);
    let message = refusal("\u{feff}\"x,y\n1,2\n2,3\n", &targets(&["y"]));
    assert!(message.contains("never closed"), "{message}");
}

#[test]
fn texts_and_names_without_an_end_are_refused_and_shown_cut() {
    let long = "z".repeat(3000);
    for (text, said) in [
        (format!("x,y\na,1\n{long},2\nb,3\n"), "3000 bytes"),
        (format!("{long},y\n1,2\n3,5\n"), "a name of 3000 bytes"),
        (format!("x,y\n1,1\n{}3,2\n{long},3\n", "2,4\n".repeat(4200)), "is no number"),
    ] {
        let message = refusal(&text, &targets(&["y"]));
        assert!(message.contains(said) && message.len() < 500, "{message}");
    }
    let wide = format!("{}y\n", "a,".repeat(1_000_001));
    assert!(refusal(&wide, &targets(&["y"])).contains("at most 1000000"), "too many columns");
}
