//! Documents in pieces, cut where no token can cross.

/// Size at which a document is cut: large enough that the cost of a piece vanishes, small enough
/// that the pieces of one long document keep every core busy.
pub(crate) const PIECE_BYTES: usize = 1 << 16;

/// Bytes of a document that are held at a time, at most: of a line of JSONL, or of a text without a
/// place to cut. A tokenizer would need many times as much for one word of this length.
pub(crate) const MOST_HELD_BYTES: usize = 1 << 27;

/// A part of a document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// The text.
    pub(crate) text: String,
    /// Has a piece of the same document come before?
    pub(crate) continues: bool,
    /// Is it the last of its document?
    pub(crate) ends: bool,
}

/// The last place at which `text` may be cut so that both sides, tokenized alone, give the tokens
/// of the whole.
///
/// GPT-2's pattern makes every word either white space alone or at most one space followed by other
/// characters: a place between a character that is not white space and one that is always ends a
/// word. And the pattern looks ahead only from within white space, which the part before such a
/// place does not end with.
pub(crate) fn last_boundary(text: &str) -> Option<usize> {
    let mut following: Option<(usize, char)> = None;
    for (index, character) in text.char_indices().rev() {
        if let Some((boundary, ' ' | '\n' | '\t' | '\r')) = following
            && !character.is_whitespace()
        {
            return Some(boundary);
        }
        following = Some((index, character));
    }
    None
}

/// Cuts a text in memory into pieces of about [`PIECE_BYTES`].
pub(crate) fn next_cut(text: &str) -> usize {
    let mut limit = PIECE_BYTES;
    while limit < text.len() {
        if let Some(cut) = last_boundary(&text[..text.floor_char_boundary(limit)]) {
            return cut;
        }
        limit *= 2;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_stand_before_white_space() {
        assert_eq!(last_boundary("one two  three"), Some(7));
        assert_eq!(last_boundary("one\n\ntwo"), Some(3));
        assert_eq!(last_boundary("  one"), None);
        assert_eq!(last_boundary("one\u{a0}two"), None);
        assert_eq!(last_boundary(""), None);
    }
}
