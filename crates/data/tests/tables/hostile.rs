//! Damaged and hostile files end in a table or in an error, never in a panic.

use parquet::basic::Compression;
use proptest::prelude::*;

use super::parquet::table;
use super::support::{file, read, targets};
use wd_data::table::{DateUse, DecimalMark, DesignOptions, Reading, TextEncoding, Unseen};

fn compress(bytes: &[u8], kind: usize) -> Vec<u8> {
    match kind {
        0 => bytes.to_vec(),
        1 => zstd::encode_all(bytes, 1).unwrap(),
        _ => {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut encoder, bytes).unwrap();
            encoder.finish().unwrap()
        }
    }
}

/// Reads a file in several ways; every number that comes out must be finite.
fn survive(bytes: &[u8]) {
    let (_folder, path) = file("table", bytes);
    let without_names = Reading { header: false, ..Reading::default() };
    let other = Reading {
        decimal: DecimalMark::Comma,
        thousands: Some('.'),
        strip: vec!["€".to_owned(), "%".to_owned()],
        missing: vec!["?".to_owned(), "-9".to_owned()],
        comment: Some(b'#'),
        encoding: TextEncoding::Latin1,
        drop_missing_rows: true,
        unseen: Some(Unseen::Missing),
        ..Reading::default()
    };
    let wide = Reading { encoding: TextEncoding::Utf16, ..Reading::default() };
    let blanks = Reading { delimiter: Some(b' '), ..Reading::default() };
    for options in [
        targets(&["y"]),
        DesignOptions { impute_mean: true, ..targets(&["y"]) },
        DesignOptions { classes: true, ..targets(&["y"]) },
        DesignOptions { reading: without_names, ..targets(&["column1"]) },
        DesignOptions {
            reading: other,
            dates: DateUse::YearMonth,
            with: vec!["x:z".to_owned(), "log(x)".to_owned()],
            ..targets(&["y"])
        },
        DesignOptions { reading: wide, dates: DateUse::Days, ..targets(&["y"]) },
        DesignOptions { reading: blanks, with: vec!["x:x".to_owned()], ..targets(&["exp(y)"]) },
    ] {
        if let Ok(whole) = read(&path, &options) {
            assert!(whole.rows.iter().flatten().all(|value| value.is_finite()));
            assert!(whole.targets.iter().all(|value| value.is_finite()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300), kind in 0usize..3) {
        survive(&compress(&bytes, kind));
    }

    #[test]
    fn anything_like_a_table(text in "(x,y\n)?([-0-9a-z.,;\"\n\r\t #/]|NA|inf|1e999){0,120}", kind in 0usize..3) {
        survive(&compress(text.as_bytes(), kind));
    }

    #[test]
    fn damaged_archives(at in any::<prop::sample::Index>(), byte: u8, cut: bool, kind in 1usize..3) {
        let mut bytes = compress("x,z,y\n1,a,2\n3,b,5.5\n7,a,1e3\n".repeat(40).as_bytes(), kind);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if cut {
            bytes.truncate(at);
        }
        survive(&bytes);
    }

    #[test]
    fn damaged_parquet(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
        kind in 0usize..3,
    ) {
        let compression = [
            Compression::UNCOMPRESSED,
            Compression::SNAPPY,
            Compression::ZSTD(Default::default()),
        ][kind];
        let mut bytes = table(2, 40, kind == 1, compression);
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        survive(&bytes);
    }
}

#[test]
fn a_truncated_archive_is_an_error() {
    let whole = "x,y\n1,2\n3,4\n".to_owned() + &"5.25,6.5\n".repeat(2000);
    for kind in [1, 2] {
        let bytes = compress(whole.as_bytes(), kind);
        for cut in [bytes.len() / 2, bytes.len() - 1] {
            let (_folder, path) = file("table.csv.z", &bytes[..cut]);
            let error = read(&path, &targets(&["y"])).unwrap_err().to_string();
            assert!(error.contains("table.csv.z"), "{error}");
        }
    }
}
