//! GPT-2's way to write bytes as visible characters, so that a vocabulary can be a JSON file.
//!
//! Source: `bytes_to_unicode` in openai/gpt-2 `src/encoder.py`. Printable Latin-1 bytes stand for
//! themselves; the other 68 become the characters from U+0100 on, in their order.

/// How the end of a document is written, GPT-2's way.
pub(crate) const END_OF_DOCUMENT: &str = "<|endoftext|>";

/// Is the byte written as itself?
fn is_itself(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff)
}

/// The character that stands for a byte.
pub(crate) fn character(byte: u8) -> char {
    if is_itself(byte) {
        return char::from(byte);
    }
    let others_before = (0..byte).filter(|&other| !is_itself(other)).count();
    // At most U+0143: always a character.
    char::from_u32(0x100 + others_before as u32).unwrap_or_default()
}

/// The byte that a character stands for.
pub(crate) fn byte(character: char) -> Option<u8> {
    match u32::from(character) {
        code @ 0..=0xff => Some(code as u8).filter(|&byte| is_itself(byte)),
        code => (0..=255).filter(|&byte| !is_itself(byte)).nth(code.checked_sub(0x100)? as usize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_characters_map_one_to_one() {
        for value in 0..=255 {
            assert_eq!(byte(character(value)), Some(value));
        }
        assert_eq!(character(b' '), 'Ġ');
        assert_eq!(character(b'\n'), 'Ċ');
        assert_eq!(character(0xad), '\u{143}');
        assert_eq!(byte(' '), None);
        assert_eq!(byte('\u{144}'), None);
    }

    #[test]
    fn the_alphabet_is_that_of_the_library() {
        let library = tokenizers::pre_tokenizers::byte_level::ByteLevel::alphabet();
        let ours: std::collections::HashSet<char> = (0..=255).map(character).collect();
        assert_eq!(ours.len(), 256);
        assert!(library.iter().all(|character| ours.contains(character)));
    }
}
