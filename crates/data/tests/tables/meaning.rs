//! What the cells of a table mean: types that are defended, notations, gaps, dates, columns made of
//! others.

use wd_data::table::{
    DateUse, DecimalMark, DesignOptions, Encoding, Reading, TargetUse, TextEncoding, Unseen,
};

use super::support::{file, read, read_text, refusal, targets};

fn with_reading(reading: Reading) -> DesignOptions {
    DesignOptions { reading, ..targets(&["y"]) }
}

/// 400 numbers with three odd tokens, in the first rows or far behind the block that types are
/// inferred from.
#[test]
fn a_few_odd_cells_are_counted_and_quoted_early_as_late() {
    for rows in [40usize, 400, 9000] {
        for (name, places) in [("early", [0, 1, 2]), ("late", [rows - 3, rows - 2, rows - 1])] {
            let cell = |row: usize| match places.iter().position(|place| *place == row) {
                Some(2) => "n.a.".to_owned(),
                Some(_) => "?".to_owned(),
                None => row.to_string(),
            };
            let rows_text: String = (0..rows).map(|row| format!("{},{row}\n", cell(row))).collect();
            let text = format!("x,y\n{rows_text}");
            let message = refusal(&text, &targets(&["y"]));
            let line = places[0] + 2;
            for part in [
                format!("3 of its {rows} cells are no numbers"),
                format!("`?` (2 times, first on line {line})"),
                "`n.a.` (on line".to_owned(),
                "`missing`".to_owned(),
                "`categorical`".to_owned(),
            ] {
                assert!(message.contains(&part), "{name}, {rows}: no «{part}» in {message}");
            }
            // Both remedies lead on.
            let missing = vec!["?".to_owned(), "n.a.".to_owned()];
            let drop_missing_rows = true;
            let reading = Reading { missing, drop_missing_rows, ..Reading::default() };
            let whole = read_text(&text, &with_reading(reading)).unwrap();
            assert_eq!(whole.rows.len(), rows - 3);
            assert_eq!(whole.findings.left_out.missing, 3);
            if rows < 4000 {
                let categorical = vec!["x".to_owned()];
                let options = DesignOptions { categorical, ..targets(&["y"]) };
                assert!(read_text(&text, &options).unwrap().columns.len() > 30);
            }
        }
    }
}

#[test]
fn numbers_behind_many_gaps_or_words_never_become_indicators() {
    // Nothing at all in the block that types are inferred from.
    let gaps = format!("x,z,y\n{}{}", ",1,2\n".repeat(5000), "7,1,3\n".repeat(50));
    let message = refusal(&gaps, &targets(&["y"]));
    assert!(message.contains("`x` in 5000 rows"), "{message}");
    let texts = format!("x,z,y\n{}{}", ",1,2\n".repeat(5000), "a,1,3\n".repeat(50));
    assert!(refusal(&texts, &targets(&["y"])).contains("its cells are no numbers: `a` (50 times"));
    // One word more often than all numbers together.
    let numbers: String = (0..40).map(|row| format!("{row},1,{row}\n")).collect();
    let words = format!("x,z,y\n{}{numbers}", "none,1,2\n".repeat(60));
    let message = refusal(&words, &targets(&["y"]));
    assert!(message.contains("60 of its 100 cells are no numbers: `none` (60 times)"), "{message}");
    // A class of schools is no number.
    let schools = "x,y\nK,1\nPK,2\n1,3\n2,4\n";
    assert_eq!(read_text(schools, &targets(&["y"])).unwrap().columns.len(), 3);
}

#[test]
fn codes_stand_for_missing_values() {
    let text = "x,c,y\n1,a,2\n-200,b,3\n4,?,5\n-200.0,a,6\n5,b,7\n";
    let missing = vec!["?".to_owned(), "-200".to_owned()];
    let reading = Reading { missing, ..Reading::default() };
    let message = refusal(text, &with_reading(reading.clone()));
    assert!(message.contains("`x` in 2 rows (first: line 3), `c` in 1 row"), "{message}");
    let dropped = Reading { drop_missing_rows: true, ..reading };
    let whole = read_text(text, &with_reading(dropped)).unwrap();
    assert_eq!((whole.targets, whole.numbers), (vec![2.0, 7.0], vec![1, 5]));
    assert_eq!(whole.findings.left_out.missing, 3);
    assert_eq!(whole.findings.left_out.missing_in, [("x".to_owned(), 2), ("c".to_owned(), 1)]);
}

#[test]
fn notations_are_read_as_declared() {
    let european = Reading { decimal: DecimalMark::Comma, ..Reading::default() };
    let whole = read_text("x;y\n1,5;2\n-2,25;3\n7;4\n", &with_reading(european)).unwrap();
    assert_eq!(whole.rows, [[1.5], [-2.25], [7.0]]);
    let thousands = Reading { thousands: Some(','), ..Reading::default() };
    let whole =
        read_text("x,y\n\"7,980\",2\n\"1,234,567.5\",3\n12,4\n", &with_reading(thousands)).unwrap();
    assert_eq!(whole.rows, [[7980.0], [1_234_567.5], [12.0]]);
    let message = refusal("x,y\n\"7,980\",2\n\"6,840\",3\n", &targets(&["y"]));
    assert!(
        message.contains("that is 7980 with `thousands`, and 7.98 with `decimal`"),
        "{message}"
    );
    let message = refusal("x,y\n\"7,980.5\",2\n\"6,840\",3\n", &targets(&["y"]));
    assert!(message.contains("commas between thousands"), "{message}");
    for text in ["# made by hand\nx y\n1  2\n  3 5 \n# end\n", "x\ty\n1 \t 2\n3 5\n"] {
        let (comment, delimiter) = (Some(b'#'), Some(b' '));
        let reading = Reading { comment, delimiter, ..Reading::default() };
        let whole = read_text(text, &with_reading(reading)).unwrap();
        assert_eq!((whole.rows, whole.targets), (vec![vec![1.0], vec![3.0]], vec![2.0, 5.0]));
        let left_out = whole.findings.left_out;
        let comments = text.matches('#').count() as u64;
        assert_eq!((left_out.comments, left_out.blank), (comments, 0));
    }
    // Blanks are found where nothing else parts the first line.
    assert_eq!(read_text("x y\n1 2\n3 5\n", &targets(&["y"])).unwrap().rows, [[1.0], [3.0]]);
}

#[test]
fn letters_are_read_as_declared() {
    let (_folder, path) = file("latin.csv", b"stra\xdfe,y\nB\xf6,1\nAh,2\nB\xf6,3\n");
    let message = read(&path, &targets(&["y"])).unwrap_err().to_string();
    assert!(message.contains("not UTF-8") && message.contains("`encoding`"), "{message}");
    let latin = Reading { encoding: TextEncoding::Latin1, ..Reading::default() };
    assert_eq!(read(&path, &with_reading(latin)).unwrap().columns, ["straße=Bö"]);
    let text = "straße,y\nBö,1\nAh,2\nBö,3\n";
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (_folder, path) = file("wide.csv", &[&[0xff, 0xfe][..], &wide].concat());
    assert_eq!(read(&path, &targets(&["y"])).unwrap().columns, ["straße=Bö"]);
    let (_folder, path) = file("wide.csv", &wide);
    let message = read(&path, &targets(&["y"])).unwrap_err().to_string();
    assert!(message.contains("UTF-16") && message.contains("`encoding`"), "{message}");
    let told = Reading { encoding: TextEncoding::Utf16, ..Reading::default() };
    assert_eq!(read(&path, &with_reading(told)).unwrap().columns, ["straße=Bö"]);
}

#[test]
fn blank_lines_and_empty_columns_are_left_out_and_counted() {
    let text = "a;;y;\n1;;2;\n\n;;;\n3;;5;\n; ;;\n4;;7;\n\n";
    let whole = read_text(text, &targets(&["y"])).unwrap();
    assert_eq!((whole.columns, whole.targets), (vec!["a".to_owned()], vec![2.0, 5.0, 7.0]));
    assert_eq!((whole.findings.rows, whole.findings.left_out.blank), (3, 4));
    let dropped: Vec<(&str, &str)> = whole
        .design
        .dropped
        .iter()
        .map(|dropped| (dropped.name.as_str(), dropped.reason.as_str()))
        .collect();
    assert_eq!(dropped, [("column2", "empty"), ("column4", "empty")]);
}

#[test]
fn dates_are_refused_until_it_is_said_what_they_become() {
    let text = "sold,x,y\n2023-01-31,1,2\n2023-03-01,2,3\n2024-02-29,3,5\n,4,5\n";
    let message = refusal(text, &targets(&["y"]));
    for part in ["column `sold`", "dates such as `2023-01-31`", "`dates`", "`categorical`"] {
        assert!(message.contains(part), "no «{part}» in {message}");
    }
    let with = |dates| DesignOptions { dates, impute_mean: true, ..targets(&["y"]) };
    let days = read_text(text, &with(DateUse::Days)).unwrap();
    assert_eq!(days.columns, ["sold", "x"]);
    let column: Vec<f64> = days.rows.iter().map(|row| row[0]).collect();
    assert_eq!(column[..3], [19_388.0, 19_417.0, 19_782.0]);
    assert!((column[3] - 58_587.0 / 3.0).abs() < 1e-6);
    let months = read_text(text, &with(DateUse::YearMonth)).unwrap();
    assert_eq!(months.columns, ["sold.year", "sold.month=2", "sold.month=3", "x"]);
    assert_eq!(months.rows[0], [2023.0, 0.0, 0.0, 1.0]);
    assert_eq!(months.rows[1], [2023.0, 0.0, 1.0, 2.0]);
    assert_eq!(months.rows[2], [2024.0, 1.0, 0.0, 3.0]);
    let mean = [2023.0 + 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 4.0];
    assert!(months.rows[3].iter().zip(mean).all(|(value, mean)| (value - mean).abs() < 1e-9));
    // As labels, where that is meant.
    let categorical = vec!["sold".to_owned()];
    let labels = DesignOptions { categorical, impute_mean: true, ..targets(&["y"]) };
    assert_eq!(read_text(text, &labels).unwrap().columns.len(), 3);
    // Which is the day?
    let unsure = "sold,y\n03/04/2023,2\n05/06/2023,3\n";
    assert!(refusal(unsure, &with(DateUse::Days)).contains("whether the day or the month"));
    let sure = "sold,y\n03/04/2023,2\n25/06/2023,3\n";
    assert_eq!(read_text(sure, &with(DateUse::Days)).unwrap().rows[0], [19_450.0]);
    // A date that is none, early or late.
    let odd = "sold,y\n2023-01-31,2\n2023-02-28,3\n".to_owned();
    let late = odd.clone() + &"2023-01-31,2\n".repeat(5000) + "soon,3\n";
    let message = refusal(&late, &with(DateUse::Days));
    assert!(message.contains("1 of its 5003 cells is no date: `soon` (on line 5004)"), "{message}");
}

#[test]
fn columns_are_made_of_others() {
    let text = "area,street,price\n100,Elm,10\n80,Oak,8\n120,Ash,12\n60,Oak,7\n";
    let options = DesignOptions {
        with: ["log(area)", "area:street", "square(area):area"].map(str::to_owned).to_vec(),
        drop: vec!["area".to_owned()],
        ..targets(&["log(price)"])
    };
    let whole = read_text(text, &options).unwrap();
    assert_eq!(
        whole.columns,
        [
            "street=Elm",
            "street=Oak",
            "log(area)",
            "area:street=Elm",
            "area:street=Oak",
            "square(area):area"
        ]
    );
    assert_eq!(whole.rows[1], [0.0, 1.0, 80f64.ln(), 0.0, 80.0, 512_000.0]);
    assert_eq!(whole.targets, [10f64.ln(), 8f64.ln(), 12f64.ln(), 7f64.ln()]);
    let reason = |name: &str| {
        let mut dropped = whole.design.dropped.iter();
        dropped.find(|dropped| dropped.name == name).map(|dropped| dropped.reason.as_str())
    };
    assert_eq!(reason("price"), Some("the target `log(price)` is made of it"));
    let message = refusal(&text.replace("10\n", "0\n"), &options);
    assert!(message.contains("log(0) is no finite number"), "{message}");
    for (word, said) in [
        ("log(price)", "explain the target by itself"),
        ("log(street)", "log takes numbers"),
        ("area", "a column already"),
        ("sin(area)", "functions are log, log1p"),
        ("log(aera)", "did you mean `area`?"),
        ("area:none", "has no column `none`"),
    ] {
        let with = vec![word.to_owned()];
        let message = refusal(text, &DesignOptions { with, ..targets(&["price"]) });
        assert!(message.contains(said), "{word}: no «{said}» in {message}");
    }
}

#[test]
fn exposures_are_logarithms_of_the_linear_predictor() {
    let text = "x,years,claims\n1,2,3\n2,0.5,1\n3,1,0\n";
    let options =
        |word: &str| DesignOptions { offset: Some(word.to_owned()), ..targets(&["claims"]) };
    let whole = read_text(text, &options("years")).unwrap();
    assert_eq!(
        (whole.columns, whole.offset),
        (vec!["x".to_owned()], vec![2f64.ln(), 0.5f64.ln(), 0.0])
    );
    let logs = "x,l,claims\n1,0.7,3\n2,-0.7,1\n3,0,0\n";
    let message = refusal(logs, &options("l"));
    assert!(message.contains("give exp(l) as the offset"), "{message}");
    let whole = read_text(logs, &options("exp(l)")).unwrap();
    assert!((whole.offset[1] + 0.7).abs() < 1e-15);
}

#[test]
fn levels_that_the_design_does_not_know_are_told_what_to_be() {
    let (_folder, path) = file("fit.csv", b"lot,z,y\na,1,2\nb,2,3\nc,3,5\nb,4,4\n");
    let design = read(&path, &targets(&["y"])).unwrap().design;
    let (_folder, new) = file("new.csv", b"lot,z\nb,1\nd,2\n,3\nc,4\n");
    let rows = |reading: &Reading| {
        let mut blocks = design.read(&new, reading, TargetUse::Ignored)?;
        let mut rows = Vec::new();
        while let Some(block) = blocks.next_block()? {
            rows.extend(
                block
                    .numbers
                    .iter()
                    .copied()
                    .zip(block.values.to_vec().chunks(3).map(<[f64]>::to_vec)),
            );
        }
        Ok::<_, wd_data::table::TableError>((rows, blocks.left_out()))
    };
    let refused = rows(&Reading::default()).unwrap_err().to_string();
    assert!(
        refused.contains("line 3, column `lot`: `d` is a level") && refused.contains("`unseen`")
    );
    let baseline =
        Reading { unseen: Some(Unseen::Baseline), drop_missing_rows: true, ..Reading::default() };
    let (found, left_out) = rows(&baseline).unwrap();
    assert_eq!(found[1], (2, vec![0.0, 0.0, 2.0]));
    assert_eq!((found.len(), left_out.missing, left_out.unseen), (3, 1, 0));
    let missing = Reading { unseen: Some(Unseen::Missing), ..baseline };
    let (found, left_out) = rows(&missing).unwrap();
    assert_eq!(found.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [1, 4]);
    assert_eq!(left_out.unseen_in, [("lot".to_owned(), 1, "d".to_owned())]);
}

#[test]
fn what_a_user_should_know_of_the_columns_is_found() {
    let rows: String = (0..40)
        .map(|row| {
            let t = if row % 8 == 3 { -200.0 } else { 10.0 + f64::from(row % 11) };
            let s = if row % 10 == 1 { 9999 } else { row % 7 };
            format!("u{row},{t},{s},{0},{0},{1}\n", row * row % 23, ["a", "b"][row as usize % 2])
        })
        .collect();
    let whole = read_text(&format!("id,t,s,copy,y,k\n{rows}"), &targets(&["y"])).unwrap();
    let findings = &whole.findings;
    assert_eq!(findings.labels, [("id".to_owned(), 40)]);
    let named = |index: usize| whole.columns[index].as_str();
    let sentinels: Vec<_> = findings
        .sentinels
        .iter()
        .map(|found| (named(found.column), found.value, found.count, found.rest))
        .collect();
    assert_eq!(sentinels, [("t", -200.0, 5, (10.0, 20.0)), ("s", 9999.0, 4, (0.0, 6.0))]);
    assert_eq!(
        findings.copies.iter().map(|(c, t)| (named(*c), *t)).collect::<Vec<_>>(),
        [("copy", 0)]
    );
}

#[test]
fn a_design_is_the_same_after_a_file() {
    let text = "sold,area,street,years,y\n2023-01-31,3,Elm,1,2\n2023-03-01,4,Oak,2,3\n";
    let options = DesignOptions {
        dates: DateUse::YearMonth,
        with: ["log(area)", "area:street", "sold:area"].map(str::to_owned).to_vec(),
        offset: Some("years".to_owned()),
        ..targets(&["log(y)"])
    };
    let whole = read_text(text, &options).unwrap();
    let written = serde_json::to_string(&whole.design).unwrap();
    assert_eq!(serde_json::from_str::<wd_data::table::Design>(&written).unwrap(), whole.design);
    assert_eq!(whole.columns.len(), whole.design.width());
    assert!(matches!(whole.design.features[3].encoding, Encoding::Function { .. }));
    // One of before there were offsets, dates and functions is read, and written, as it was.
    let old = r#"{"features":[{"name":"x","encoding":"number","imputed":null}],"targets":[{"name":"y","kind":"number"}],"weights":null,"dropped":[]}"#;
    let design: wd_data::table::Design = serde_json::from_str(old).unwrap();
    assert_eq!(serde_json::to_string(&design).unwrap(), old);
}

/// A table of 60 rows with these cells in the column `x`, and numbers beside them.
fn with_cells(separator: char, cell: impl Fn(usize) -> String) -> String {
    let rows = (0..60).map(|row| {
        format!("{}{separator}{}{separator}{}\n", cell(row), row * 5 % 13, row * 7 % 17)
    });
    format!("x{separator}z{separator}y\n{}", rows.collect::<String>())
}

#[test]
fn numbers_in_another_spelling_are_named_and_read_as_told() {
    let reading = |decimal, thousands, strip: &[&str]| Reading {
        decimal,
        thousands,
        strip: strip.iter().map(|word| (*word).to_owned()).collect(),
        ..Reading::default()
    };
    let (point, comma) = (DecimalMark::Point, DecimalMark::Comma);
    type Cell = fn(usize) -> String;
    let cases: [(Cell, &str, Reading); 8] = [
        (|row| format!("1.{row:03},25"), "decimal commas", reading(comma, Some('.'), &[])),
        (|row| format!("1'{row:03}.5"), "apostrophes", reading(point, Some('\''), &[])),
        (|row| format!("1\u{a0}{row:03},5"), "blanks", reading(comma, Some(' '), &[])),
        (|row| format!("1\u{2009}{row:03}"), "blanks", reading(point, Some(' '), &[])),
        (|row| format!("${row}.5"), "take `$` off with `strip`", reading(point, None, &["$"])),
        (|row| format!("{row},5 %"), "take `%` off with `strip`", reading(comma, None, &["%"])),
        (
            |row| format!("€ 1.{row:03},25 kg"),
            "take `€`, `kg` off",
            reading(comma, Some('.'), &["€", "kg"]),
        ),
        (|row| format!("{row}.5 km"), "take `km` off with `strip`", reading(point, None, &["km"])),
    ];
    for (cell, said, reading) in cases {
        let text = with_cells(';', cell);
        for target in ["y", "x"] {
            let message = refusal(&text, &targets(&[target]));
            assert!(message.contains(said), "no «{said}» in {message}");
            assert!(!message.contains("`classes`"), "{message}");
        }
        let whole = read_text(&text, &with_reading(reading)).unwrap();
        let (first, last) = (whole.rows[0][0], whole.rows[59][0]);
        assert!((last - first - 59.0).abs() < 1e-12, "{said}: {first} to {last}");
    }
    // With the decimal mark alone the thousands are still named.
    let text = with_cells(';', |row| format!("1.{row:03},25"));
    let message = refusal(&text, &with_reading(reading(comma, None, &[])));
    assert!(message.contains("points between thousands"), "{message}");
    // A typographic minus is a minus.
    let whole = read_text(&with_cells(',', |row| format!("−{row}.5")), &targets(&["y"])).unwrap();
    assert_eq!(whole.rows[2][0], -2.5);
    // Names that hold digits stay categories.
    let text = with_cells(',', |row| format!("Q{}", row % 4 + 1));
    assert_eq!(read_text(&text, &targets(&["y"])).unwrap().columns.len(), 4);
}

#[test]
fn classes_are_named_only_where_texts_come_again() {
    let few = with_cells(',', |row| ["low", "high"][row % 2].to_owned());
    assert!(refusal(&few, &targets(&["x"])).contains("unless it holds `classes`"));
    let many = with_cells(',', |row| format!("name {row}"));
    let message = refusal(&many, &targets(&["x"]));
    assert!(message.contains("numbers are wanted here") && !message.contains("`classes`"));
}

#[test]
fn a_first_line_is_named_as_data_only_where_it_looks_like_it() {
    let twice = refusal("x,x,y\n1,2,3\n4,5,6\n", &targets(&["y"]));
    assert!(twice.contains("name them apart") && !twice.contains("`header`"), "{twice}");
    let data = refusal("3,3,no\n1,2,yes\n4,5,no\n", &targets(&["no"]));
    assert!(data.contains("say so with `header`"), "{data}");
    let single = refusal("x,y\n1,2\n?,3\n4,7\n", &targets(&["y"]));
    assert!(single.contains("1 of its 3 cells is no number: `?`"), "{single}");
    for (text, format) in
        [("<!DOCTYPE html><html></html>\n", "HTML"), ("[{\"x\": 1, \"y\": 2}]\n", "JSON")]
    {
        let message = refusal(text, &targets(&["y"]));
        assert!(message.contains(format) && !message.contains("`header`"), "{message}");
    }
    let alone = refusal("x,y\n", &targets(&["y"]));
    assert!(alone.ends_with("it has no rows below its first line"), "{alone}");
}

#[test]
fn the_delimiter_of_a_first_line_of_excel_is_taken() {
    for end in ["\n", "\r\n"] {
        let text = format!("sep=;{end}x;y{end}1,5;2{end}?;3{end}2,5;4{end}");
        let comma = Reading { decimal: DecimalMark::Comma, ..Reading::default() };
        let message = refusal(&text, &with_reading(comma.clone()));
        assert!(message.contains("`?` (on line 4)"), "{message}");
        let missing = vec!["?".to_owned()];
        let reading = Reading { missing, drop_missing_rows: true, ..comma };
        assert_eq!(read_text(&text, &with_reading(reading)).unwrap().rows, [[1.5], [2.5]]);
    }
}

#[test]
fn post_codes_are_names_and_no_codes_for_missing_values() {
    let text = with_cells(',', |row| ["01067", "10115", "20095", "80331"][row % 4].to_owned());
    let findings = read_text(&text, &targets(&["y"])).unwrap().findings;
    assert_eq!(findings.padded, [("x".to_owned(), "01067".to_owned())]);
    assert_eq!(findings.sentinels, []);
    // Few numbers that all repeat are names as well, a code such as 999 is none.
    let sentinels = |last: &str| {
        let text = with_cells(',', |row| ["1", "2", "3", last][row % 4].to_owned());
        read_text(&text, &targets(&["y"])).unwrap().findings.sentinels.len()
    };
    assert_eq!((sentinels("700"), sentinels("999"), sentinels("-9")), (0, 1, 1));
}

#[test]
fn a_total_and_single_rows_are_found() {
    let rows: Vec<[f64; 2]> = (0..30).map(|row| [f64::from(row % 7), f64::from(row % 4)]).collect();
    let sums = [0, 1].map(|column| rows.iter().map(|row| row[column]).sum::<f64>());
    let table = |name: &str, last: [f64; 2]| {
        let kept = rows.iter().enumerate();
        let kept = kept.map(|(row, [x, y])| format!("{},{x},{y}\n", ["a", "b"][row % 2]));
        format!("k,x,y\n{}{name},{},{}\n", kept.collect::<String>(), last[0], last[1])
    };
    let total = |name: &str, last: [f64; 2]| {
        read_text(&table(name, last), &targets(&["y"])).unwrap().findings.total
    };
    assert_eq!(total("a", sums), Some(31));
    assert_eq!(total("Total", [sums[0], 1.5]), Some(31));
    assert_eq!(total("a", [sums[0], 1.5]), None);
    assert_eq!(total("Summe", [3.0, 1.0]), None);
    let single = |options: &DesignOptions| {
        read_text(&table("typo", [3.0, 1.0]), options).unwrap().findings.single
    };
    assert_eq!(single(&targets(&["y"])), [("k".to_owned(), "typo".to_owned())]);
    let classes = DesignOptions { classes: true, ..targets(&["k"]) };
    assert_eq!(single(&classes), [("k".to_owned(), "typo".to_owned())]);
}

#[test]
fn an_infinite_number_is_declared_missing() {
    let text = with_cells(',', |row| if row == 9 { "inf".to_owned() } else { row.to_string() });
    assert!(refusal(&text, &targets(&["y"])).contains("declare it with `missing`"));
    let missing = vec!["inf".to_owned()];
    let reading = Reading { missing, drop_missing_rows: true, ..Reading::default() };
    assert_eq!(read_text(&text, &with_reading(reading)).unwrap().rows.len(), 59);
}
