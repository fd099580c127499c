//! Shares of a run in words.

use wd_page::number::share;

/// What is left of something: nearly all of it is better said by what is gone.
pub(super) fn left(fraction: f64) -> String {
    if fraction < 0.0 {
        format!("{}, its sign changed,", share(-fraction))
    } else if fraction == 1.0 {
        "all".to_owned()
    } else if fraction > 0.995 {
        format!("all but {}", share(1.0 - fraction))
    } else {
        share(fraction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_a_run_are_words() {
        assert_eq!(left(0.9998), "all but 0.02 %");
        assert_eq!(left(-0.25), "25 %, its sign changed,");
        assert_eq!(left(1.0), "all");
        assert_eq!(left(0.19), "19 %");
    }
}
