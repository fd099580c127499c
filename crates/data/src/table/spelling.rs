//! Numbers in another spelling than the one that is declared: which it is, and what says so.

use super::error::TableOption;
use super::field::number;
use super::reading::DecimalMark;

/// Texts longer than this are no numbers with a sign or a unit.
const MOST_BYTES: usize = 48;
/// Different signs and units that a message names.
const NAMED: usize = 4;

/// A way to write numbers that differs from 1234.5.
#[derive(Debug)]
struct Notation {
    decimal: DecimalMark,
    thousands: Option<char>,
    /// What its numbers have, behind “numbers”.
    has: &'static str,
    /// The options that declare it, as words.
    say: &'static str,
    /// The same, as an error carries them: without and with signs to be taken off.
    options: [&'static [TableOption]; 2],
}

use DecimalMark::{Comma, Point};
use TableOption::{Categorical, Decimal, Strip, Thousands};
use TableOption::{ThousandsApostrophe as Apostrophe, ThousandsBlank as Blank};

const NOTATIONS: [Notation; 8] = [
    Notation {
        decimal: Point,
        thousands: None,
        has: "",
        say: "",
        options: [&[], &[Strip, Categorical]],
    },
    Notation {
        decimal: Comma,
        thousands: None,
        has: "decimal commas",
        say: "`decimal`",
        options: [&[Decimal], &[Decimal, Strip, Categorical]],
    },
    Notation {
        decimal: Point,
        thousands: Some(','),
        has: "commas between thousands",
        say: "`thousands`",
        options: [&[Thousands], &[Thousands, Strip, Categorical]],
    },
    Notation {
        decimal: Comma,
        thousands: Some('.'),
        has: "points between thousands and decimal commas",
        say: "`thousands` and `decimal`",
        options: [
            &[TableOption::ThousandsPoint, Decimal],
            &[TableOption::ThousandsPoint, Decimal, Strip, Categorical],
        ],
    },
    Notation {
        decimal: Point,
        thousands: Some('\''),
        has: "apostrophes between thousands",
        say: "`thousands`",
        options: [&[Apostrophe], &[Apostrophe, Strip, Categorical]],
    },
    Notation {
        decimal: Comma,
        thousands: Some('\''),
        has: "apostrophes between thousands and decimal commas",
        say: "`thousands` and `decimal`",
        options: [&[Apostrophe, Decimal], &[Apostrophe, Decimal, Strip, Categorical]],
    },
    Notation {
        decimal: Point,
        thousands: Some(' '),
        has: "blanks between thousands",
        say: "`thousands`",
        options: [&[Blank], &[Blank, Strip, Categorical]],
    },
    Notation {
        decimal: Comma,
        thousands: Some(' '),
        has: "blanks between thousands and decimal commas",
        say: "`thousands` and `decimal`",
        options: [&[Blank, Decimal], &[Blank, Decimal, Strip, Categorical]],
    },
];
/// The places of the two that a comma alone does not tell apart.
const WITH_COMMA: [usize; 2] = [1, 2];

/// A text that is a number in another spelling.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spelling<'a> {
    /// Its value in each notation, where it is a number there.
    values: [Option<f64>; NOTATIONS.len()],
    /// Signs and units around it.
    affixes: [&'a str; 2],
}

impl<'a> Spelling<'a> {
    /// Of a text that is no number as the table is read.
    pub(super) fn read(text: &'a [u8]) -> Option<Spelling<'a>> {
        if text.len() > MOST_BYTES || !text.iter().any(u8::is_ascii_digit) {
            return None;
        }
        let text = std::str::from_utf8(text).ok()?;
        let (core, affixes) = parted(text)?;
        let has_affix = affixes != [""; 2];
        let values = NOTATIONS.each_ref().map(|notation| {
            let Notation { decimal, thousands, .. } = *notation;
            let mark = thousands.or((decimal == Comma).then_some(','));
            // What has none of its marks is written as usual.
            let is_marked = mark.is_some_and(|mark| core.contains(|c| is_same(c, mark)));
            let value = (has_affix || is_marked).then(|| number(&core, decimal, thousands));
            value.flatten().filter(|value| value.is_finite())
        });
        values.iter().any(Option::is_some).then_some(Spelling { values, affixes })
    }
}

/// Whether a letter is the separator: a blank stands for non-breaking and thin ones too, an
/// apostrophe for the typographic one.
pub(super) fn is_same(letter: char, separator: char) -> bool {
    letter == separator
        || match separator {
            ' ' => matches!(letter, '\u{a0}' | '\u{202f}' | '\u{2009}' | '\u{2007}'),
            '\'' => letter == '’',
            '’' => letter == '\'',
            _ => false,
        }
}

/// The digits of a number with its sign, and the signs or units before and behind them.
fn parted(text: &str) -> Option<(String, [&str; 2])> {
    let first = text.find(|letter: char| letter.is_ascii_digit())?;
    let last = text.rfind(|letter: char| letter.is_ascii_digit())?;
    let is_sign = |letter: char| matches!(letter, '+' | '-' | '−');
    let before = text[..first].trim();
    let minus = before.chars().find(|letter| is_sign(*letter));
    let before = before.trim_matches(is_sign).trim();
    let behind = text[last + 1..].trim();
    // A decimal mark before the first digit belongs to it, and no sign stands there.
    let is_fitting = (before.is_empty() || is_currency(before))
        && (behind.is_empty() || is_currency(behind) || UNITS.contains(&behind));
    let digits = &text[first..=last];
    let sign = minus.map(String::from).unwrap_or_default();
    is_fitting.then(|| (format!("{sign}{digits}"), [before, behind]))
}

/// Units that stand behind numbers. Single capitals are no units: `12 A` is an address.
const UNITS: [&str; 46] = [
    "kg", "g", "mg", "µg", "t", "lb", "lbs", "oz", "km", "m", "cm", "mm", "µm", "nm", "ft", "mi",
    "l", "L", "ml", "mL", "h", "min", "s", "ms", "ha", "m²", "km²", "m³", "cm³", "km/h", "mph",
    "kW", "kWh", "MWh", "Hz", "kHz", "MHz", "GHz", "kB", "KB", "MB", "GB", "TB", "pp", "bp", "px",
];
/// Codes and words of currencies.
const CURRENCIES: [&str; 18] = [
    "EUR", "USD", "CHF", "GBP", "JPY", "CNY", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "INR",
    "CAD", "AUD", "Fr.", "kr", "zł",
];

/// Whether a word is a sign such as `€`, `US$`, `%` or `°C`, or a currency.
fn is_currency(word: &str) -> bool {
    let is_sign = |letter: char| matches!(letter, '$' | '%' | '‰' | '°' | '¢'..='¥' | '฿' | '\u{20a0}'..='\u{20cf}');
    let (signs, others): (Vec<char>, Vec<char>) = word.chars().partition(|c| is_sign(*c));
    let has_sign = !signs.is_empty() && signs.len() <= 2;
    (has_sign && others.len() <= 3 && others.iter().all(|letter| letter.is_alphabetic()))
        || CURRENCIES.contains(&word)
}

/// How the numbers of a column are spelt that are none as the table is read.
#[derive(Debug, Clone, Default)]
pub(super) struct Spellings {
    /// Cells that are numbers in each notation, those with a sign among them.
    fits: [u64; NOTATIONS.len()],
    /// Cells with a sign or a unit.
    signed: u64,
    /// The first different signs and units.
    signs: Vec<String>,
    example: Option<(String, [Option<f64>; NOTATIONS.len()])>,
}

impl Spellings {
    /// Looks at a cell; `shown` is how a message shows it.
    pub(super) fn see(&mut self, text: &[u8], times: u64, shown: &str) {
        let Some(spelling) = Spelling::read(text) else { return };
        for (fits, value) in self.fits.iter_mut().zip(spelling.values) {
            *fits += if value.is_some() { times } else { 0 };
        }
        let affixes = spelling.affixes.into_iter().filter(|affix| !affix.is_empty());
        let before = self.signs.len();
        for affix in affixes {
            self.signed += times;
            if before < NAMED && !self.signs.iter().any(|known| known == affix) {
                self.signs.push(affix.to_owned());
            }
        }
        self.example.get_or_insert_with(|| (shown.to_owned(), spelling.values));
    }

    /// What is wrong with `count` odd cells of `cells`, and what mends it, where most of them are
    /// spelt in one way.
    pub(super) fn problem(
        &self,
        count: u64,
        cells: u64,
    ) -> Option<(String, &'static [TableOption])> {
        let (example, values) = self.example.as_ref()?;
        let most = *self.fits.iter().max()?;
        if most * 2 <= count {
            return None;
        }
        let place = self.fits.iter().position(|fits| *fits == most)?;
        let of = super::odd::some_of(most, cells);
        let are = if most == 1 && cells > 1 { "is a number" } else { "are numbers" };
        let notation = &NOTATIONS[place];
        let is_signed = self.signed > 0;
        let signs: Vec<String> = self.signs.iter().map(|sign| format!("`{sign}`")).collect();
        let signs = signs.join(", ");
        let options = notation.options[usize::from(is_signed)];
        let is_either = WITH_COMMA.iter().all(|place| self.fits[*place] == most);
        if let (false, true, [Some(low), Some(high)]) =
            (is_signed, is_either, WITH_COMMA.map(|place| values[place]))
        {
            let problem = format!(
                "{of} {} commas, such as `{example}`: that is {high} with `thousands`, and {low} \
                 with `decimal`; say which",
                if most == 1 && cells > 1 { "has" } else { "have" }
            );
            return Some((problem, &[Thousands, Decimal]));
        }
        let has: Vec<String> = [notation.has.to_owned(), signs.clone()]
            .into_iter()
            .filter(|what| !what.is_empty())
            .collect();
        let has = has.join(" and ");
        let say = match (is_signed, notation.say) {
            (false, say) => format!("say so with {say}"),
            (true, "") => format!("take {signs} off with `strip`"),
            (true, say) => format!("say so with {say}, and take {signs} off with `strip`"),
        };
        let labels = match is_signed {
            true => ", or say with `categorical` that the column holds categories",
            false => "",
        };
        Some((format!("{of} {are} with {has}, such as `{example}`; {say}{labels}"), options))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which notations a text fits, by their place, and what stands around it.
    fn fits(text: &str) -> (Vec<usize>, [&str; 2]) {
        match Spelling::read(text.as_bytes()) {
            None => (Vec::new(), [""; 2]),
            Some(Spelling { values, affixes }) => {
                let places = values.iter().enumerate().filter(|(_, value)| value.is_some());
                (places.map(|(place, _)| place).collect(), affixes)
            }
        }
    }

    #[test]
    fn a_number_is_known_in_every_spelling() {
        let plain = ["", ""];
        for (text, places, affixes) in [
            ("7,980", vec![1, 2], plain),
            ("1,5", vec![1], plain),
            ("1,234,567", vec![2], plain),
            ("1,312.03", vec![2], plain),
            ("1.312,03", vec![3], plain),
            ("1'157.5", vec![4], plain),
            ("−1’157", vec![4, 5], plain),
            ("1\u{a0}312,03", vec![7], plain),
            ("1\u{2009}312", vec![6, 7], plain),
            ("$1,312.03", vec![2], ["$", ""]),
            ("1312.03 €", vec![0, 2, 4, 6], ["", "€"]),
            ("-US$ 5.25", vec![0, 2, 4, 6], ["US$", ""]),
            ("12,5\u{a0}%", vec![1, 3, 5, 7], ["", "%"]),
            ("53.5 kg", vec![0, 2, 4, 6], ["", "kg"]),
        ] {
            assert_eq!(fits(text), (places, affixes), "{text}");
        }
        for text in ["a,b", "Q1", "12a", "1st", "<0.1", "(0.8)", "-0.8*", "12:30", "31.01.2023"] {
            assert_eq!(fits(text).0, Vec::<usize>::new(), "{text}");
        }
    }
}
