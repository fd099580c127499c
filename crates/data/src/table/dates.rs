//! Dates in texts: which day of the month, and how many days since 1970.

use serde::{Deserialize, Serialize};

/// What becomes of a column of dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DateUse {
    /// It is an error, which says what can be made of it.
    #[default]
    Refuse,
    /// One column: days since 1970-01-01, with the time of the day as a fraction.
    Days,
    /// The year as a number, and an indicator for each month but the first.
    YearMonth,
}

/// In which order a date is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DateOrder {
    /// 2023-01-31
    YearFirst,
    /// 31.01.2023
    DayFirst,
    /// 01/31/2023
    MonthFirst,
}

/// Orders in which all texts of a column can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Orders {
    fits: [bool; 3],
}

const ORDERS: [DateOrder; 3] = [DateOrder::YearFirst, DateOrder::DayFirst, DateOrder::MonthFirst];

impl Orders {
    pub(super) fn new() -> Self {
        Orders { fits: [true; 3] }
    }

    /// Looks at another text of the column.
    pub(super) fn see(&mut self, text: &[u8]) {
        for (fits, order) in self.fits.iter_mut().zip(ORDERS) {
            *fits = *fits && order.days(text).is_some();
        }
    }

    /// Whether some order fits.
    pub(super) fn is_date(self) -> bool {
        self.fits.contains(&true)
    }

    /// The order, where only one fits.
    pub(super) fn only(self) -> Option<DateOrder> {
        let mut fitting = ORDERS.into_iter().zip(self.fits).filter(|(_, fits)| *fits);
        match (fitting.next(), fitting.next()) {
            (Some((order, _)), None) => Some(order),
            _ => None,
        }
    }
}

impl DateOrder {
    /// Days since 1970-01-01 of a date, with or without a time behind it.
    pub(super) fn days(self, text: &[u8]) -> Option<f64> {
        let text = std::str::from_utf8(text).ok()?;
        let (date, time) = match text.find(['T', ' ']) {
            Some(end) => (&text[..end], Some(&text[end + 1..])),
            None => (text, None),
        };
        let separator = date.chars().find(|letter| matches!(letter, '-' | '/' | '.'))?;
        let mut parts = date.split(separator);
        let (a, b, c) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let (year, month, day) = match self {
            DateOrder::YearFirst => (a, b, c),
            DateOrder::DayFirst => (c, b, a),
            DateOrder::MonthFirst => (c, a, b),
        };
        let number = |part: &str, digits: std::ops::RangeInclusive<usize>| {
            let fits = digits.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
            fits.then(|| part.parse::<i64>().ok()).flatten()
        };
        let days = days_of(number(year, 4..=4)?, number(month, 1..=2)?, number(day, 1..=2)?)?;
        let share = match time {
            Some(time) => share_of_day(time)?,
            None => 0.0,
        };
        Some(days as f64 + share)
    }
}

/// Days since 1970-01-01 of a day of the Gregorian calendar; nothing for one that is none.
///
/// Source: Howard Hinnant, “chrono-compatible low-level date algorithms”, `days_from_civil`.
fn days_of(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(is_leap),
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// The share of a day that has passed at a time such as `14:30`, `14:30:05.5` or `14:30:05Z`.
fn share_of_day(time: &str) -> Option<f64> {
    let time = time.trim_end_matches('Z');
    let mut parts = time.split(':');
    let mut seconds = 0.0;
    for (unit, most) in [(3600.0, 24.0), (60.0, 60.0), (1.0, 61.0)] {
        let Some(part) = parts.next() else {
            // Hours alone are no time.
            return (unit == 1.0).then_some(seconds / 86_400.0);
        };
        let is_plain = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let value: f64 = is_plain.then(|| part.parse().ok()).flatten()?;
        if value >= most {
            return None;
        }
        seconds += unit * value;
    }
    parts.next().is_none().then_some(seconds / 86_400.0)
}

/// Year and month (1 to 12) of days since 1970-01-01; `civil_from_days` of the same source.
pub(super) fn year_and_month(days: f64) -> (f64, u8) {
    let shifted = days.floor() as i64 + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let place = (5 * of_year + 2) / 153;
    let month = if place < 10 { place + 3 } else { place - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as f64, month as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (text, expected) in [
            ("1970-01-01", Some(0.0)),
            ("2000-02-29", Some(11_016.0)),
            ("2023-12-31", Some(19_722.0)),
            ("1969-12-31", Some(-1.0)),
            ("2023/01/31", Some(19_388.0)),
            ("2023-01-31T12:00", Some(19_388.5)),
            ("2023-01-31 06:00:00Z", Some(19_388.25)),
            ("1900-02-29", None),
            ("2023-13-01", None),
            ("2023-01", None),
            ("2023-01-31 noon", None),
            ("23-01-31", None),
            ("00.00.00", None),
        ] {
            assert_eq!(DateOrder::YearFirst.days(text.as_bytes()), expected, "{text}");
        }
        assert_eq!(DateOrder::DayFirst.days(b"31.01.2023"), Some(19_388.0));
        assert_eq!(DateOrder::MonthFirst.days(b"1/31/2023"), Some(19_388.0));
    }

    #[test]
    fn months_come_back_from_days() {
        for (year, month) in [(1970, 1), (2000, 2), (1999, 12), (2024, 2), (1600, 3), (2100, 2)] {
            for day in [1, 28] {
                let days = days_of(year, month, day).expect("a day");
                assert_eq!(year_and_month(days as f64 + 0.5), (year as f64, month as u8));
            }
        }
    }

    #[test]
    fn one_day_beyond_the_twelfth_says_which_comes_first() {
        let of = |texts: &[&str]| {
            let mut orders = Orders::new();
            texts.iter().for_each(|text| orders.see(text.as_bytes()));
            (orders.is_date(), orders.only())
        };
        assert_eq!(of(&["03/04/2023", "31/01/2023"]), (true, Some(DateOrder::DayFirst)));
        assert_eq!(of(&["03/04/2023", "01/31/2023"]), (true, Some(DateOrder::MonthFirst)));
        assert_eq!(of(&["03/04/2023"]), (true, None));
        assert_eq!(of(&["31/01/2023", "01/31/2023"]), (false, None));
        assert_eq!(of(&["2023-01-31", "Elm"]), (false, None));
    }
}
