//! Python's assignments of literals: `weight_decay = 1e-1`, `optimizer = dict(type='AdamW')`.
//!
//! Read are numbers, strings, `True`, `False`, `None`, products of numbers, and lists, tuples,
//! tables and calls of `dict` with such values. Anything else is not read, and its name is noted.

use super::Parsed;
use crate::checkpoint::Value;

/// Brackets within brackets that are followed. Configurations have about six.
const MOST_DEPTH: usize = 64;

/// The assignments that begin at the first column of a line; later ones win.
pub(in crate::dialect) fn module(text: &str) -> Parsed {
    let mut table: Vec<(String, Value)> = Vec::new();
    let mut unread = Vec::new();
    let mut rest = text;
    let mut is_in_docstring = false;
    while !rest.is_empty() {
        let line = rest.lines().next().unwrap_or_default();
        let behind = after_line(rest);
        let quotes = line.matches("\"\"\"").count() + line.matches("'''").count();
        if is_in_docstring || quotes % 2 == 1 {
            is_in_docstring ^= quotes % 2 == 1;
            rest = behind;
            continue;
        }
        let Some((name, expression)) = assignment(rest) else {
            rest = behind;
            continue;
        };
        table.retain(|(known, _)| known != name);
        let mut reader = Reader { rest: expression, depth: 0 };
        match reader.expression().filter(|_| reader.is_at_end_of_line()) {
            Some(value) => {
                table.push((name.to_owned(), value));
                rest = after_line(reader.rest);
            }
            None => {
                unread.push(name.to_owned());
                rest = behind;
            }
        }
    }
    Parsed { value: Value::Table(table), unread }
}

/// A whole text that is one literal.
pub(in crate::dialect) fn literal(text: &str) -> Option<Value> {
    let mut reader = Reader { rest: text, depth: 0 };
    let value = reader.expression()?;
    reader.blank();
    reader.rest.is_empty().then_some(value)
}

fn after_line(text: &str) -> &str {
    text.split_once('\n').map_or("", |(_, behind)| behind)
}

/// `name = …` or `name: type = …` at the very beginning; not `name == …` or `name += …`.
fn assignment(text: &str) -> Option<(&str, &str)> {
    let line = text.lines().next()?;
    let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(line.len());
    let (name, behind) = line.split_at_checked(end)?;
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let behind = behind.trim_start();
    let equals = if behind.starts_with(':') { line.find('=')? } else { line.len() - behind.len() };
    let expression = text.get(equals..)?.strip_prefix('=')?;
    (!expression.starts_with('=')).then_some((name, expression))
}

/// What is left to read of an expression.
struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    /// Passes blanks; within brackets, ends of lines and comments too.
    fn blank(&mut self) {
        loop {
            self.rest = match self.depth {
                0 => self.rest.trim_start_matches([' ', '\t']),
                _ => self.rest.trim_start(),
            };
            if self.depth == 0 || !self.rest.starts_with('#') {
                return;
            }
            self.rest = after_line(self.rest);
        }
    }

    fn is_at_end_of_line(&mut self) -> bool {
        self.blank();
        self.rest.is_empty() || self.rest.starts_with(['\n', '\r', '#', ';'])
    }

    fn takes(&mut self, start: &str) -> bool {
        self.blank();
        match self.rest.strip_prefix(start) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Factors with `*` or `/` between.
    fn expression(&mut self) -> Option<Value> {
        let mut value = self.factor()?;
        loop {
            self.blank();
            let is_product = self.rest.starts_with('*') && !self.rest.starts_with("**");
            let is_quotient = self.rest.starts_with('/') && !self.rest.starts_with("//");
            if !is_product && !is_quotient {
                return Some(value);
            }
            self.rest = self.rest.get(1..)?;
            let factor = self.factor()?;
            value = match (&value, &factor) {
                (Value::Integer(left), Value::Integer(right)) if is_product => left
                    .checked_mul(*right)
                    .map_or(Value::Number(*left as f64 * *right as f64), Value::Integer),
                _ if is_product => Value::Number(value.number()? * factor.number()?),
                _ => Value::Number(value.number()? / factor.number()?),
            };
        }
    }

    fn factor(&mut self) -> Option<Value> {
        self.blank();
        let first = self.rest.chars().next()?;
        match first {
            '-' | '+' => {
                self.rest = self.rest.get(1..)?;
                self.blank();
                match (first, self.number()?) {
                    ('-', Value::Integer(value)) => value.checked_neg().map(Value::Integer),
                    ('-', Value::Number(value)) => Some(Value::Number(-value)),
                    (_, value) => Some(value),
                }
            }
            '0'..='9' | '.' => self.number(),
            '\'' | '"' => self.strings(),
            '[' => self.list("[", "]"),
            '(' => self.tuple(),
            '{' => self.table(),
            _ => self.word(),
        }
    }

    fn number(&mut self) -> Option<Value> {
        let bytes = self.rest.as_bytes();
        let mut end = 0;
        while let Some(&byte) = bytes.get(end) {
            let is_sign = matches!(byte, b'+' | b'-')
                && end > 0
                && matches!(bytes.get(end - 1), Some(b'e' | b'E'));
            if !(byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'e' | b'E') || is_sign) {
                break;
            }
            end += 1;
        }
        let (digits, rest) = self.rest.split_at_checked(end)?;
        // `1e5j`, `0x10` and names that begin with a digit are no numbers here.
        if rest.starts_with(|c: char| c.is_alphanumeric()) {
            return None;
        }
        let digits = digits.replace('_', "");
        self.rest = rest;
        match digits.parse::<i64>() {
            Ok(integer) => Some(Value::Integer(integer)),
            Err(_) => digits.parse().ok().map(Value::Number),
        }
    }

    /// One string, or several that stand beside each other.
    fn strings(&mut self) -> Option<Value> {
        let mut text = self.string()?;
        loop {
            self.blank();
            if !self.rest.starts_with(['\'', '"']) {
                return Some(Value::Text(text));
            }
            text.push_str(&self.string()?);
        }
    }

    fn string(&mut self) -> Option<String> {
        let quote = self.rest.chars().next()?;
        // A text over several lines is a docstring, and no setting.
        if self.rest.starts_with("\"\"\"") || self.rest.starts_with("'''") {
            return None;
        }
        let mut text = String::new();
        let mut characters = self.rest.char_indices().skip(1);
        while let Some((place, character)) = characters.next() {
            match character {
                '\n' => return None,
                '\\' => match characters.next()?.1 {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    other => text.push(other),
                },
                _ if character == quote => {
                    self.rest = self.rest.get(place + character.len_utf8()..)?;
                    return Some(text);
                }
                _ => text.push(character),
            }
        }
        None
    }

    fn list(&mut self, open: &str, close: &str) -> Option<Value> {
        let (items, _) = self.items(open, close)?;
        Some(Value::List(items))
    }

    /// A tuple is a list; brackets around one value are none.
    fn tuple(&mut self) -> Option<Value> {
        let (mut items, commas) = self.items("(", ")")?;
        match (items.len(), commas) {
            (1, 0) => items.pop(),
            _ => Some(Value::List(items)),
        }
    }

    /// The values between brackets, and how many commas were there.
    fn items(&mut self, open: &str, close: &str) -> Option<(Vec<Value>, usize)> {
        self.open(open)?;
        let (mut items, mut commas) = (Vec::new(), 0);
        while !self.takes(close) {
            items.push(self.expression()?);
            match self.takes(",") {
                true => commas += 1,
                false => {
                    self.takes(close).then_some(())?;
                    break;
                }
            }
        }
        self.depth -= 1;
        Some((items, commas))
    }

    fn table(&mut self) -> Option<Value> {
        self.pairs("{", "}", |reader| {
            let key = match reader.expression()? {
                Value::Text(key) => key,
                Value::Integer(key) => key.to_string(),
                _ => return None,
            };
            reader.takes(":").then_some(key)
        })
    }

    /// `dict(key=value, …)`.
    fn dict(&mut self) -> Option<Value> {
        self.pairs("(", ")", |reader| {
            let key = reader.name()?.to_owned();
            reader.takes("=").then_some(key)
        })
    }

    fn pairs(
        &mut self,
        open: &str,
        close: &str,
        key: fn(&mut Self) -> Option<String>,
    ) -> Option<Value> {
        self.open(open)?;
        let mut pairs = Vec::new();
        while !self.takes(close) {
            let key = key(self)?;
            pairs.push((key, self.expression()?));
            if !self.takes(",") {
                self.takes(close).then_some(())?;
                break;
            }
        }
        self.depth -= 1;
        Some(Value::Table(pairs))
    }

    fn open(&mut self, bracket: &str) -> Option<()> {
        self.takes(bracket).then_some(())?;
        self.depth += 1;
        (self.depth <= MOST_DEPTH).then_some(())
    }

    fn name(&mut self) -> Option<&'a str> {
        self.blank();
        let is_other = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
        let end = self.rest.find(is_other).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        (!name.is_empty()).then_some(name)
    }

    fn word(&mut self) -> Option<Value> {
        match self.name()? {
            "True" => Some(Value::Bool(true)),
            "False" => Some(Value::Bool(false)),
            "None" => Some(Value::None),
            "dict" => self.dict(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_read_and_expressions_are_not() {
        let read = |text: &str| literal(text);
        assert_eq!(read("5 * 8"), Some(Value::Integer(40)));
        assert_eq!(read("1e-1"), Some(Value::Number(0.1)));
        assert_eq!(read("-3"), Some(Value::Integer(-3)));
        assert_eq!(read("600_000"), Some(Value::Integer(600_000)));
        assert_eq!(read("1 / 4"), Some(Value::Number(0.25)));
        assert_eq!(read("'a' \"b\""), Some(Value::Text("ab".to_owned())));
        assert_eq!(
            read("(0.9, 0.95)").and_then(|pair| match pair {
                Value::List(items) => items[1].number(),
                _ => None,
            }),
            Some(0.95)
        );
        for other in ["max_iters", "2 ** 3", "open('x')", "f'x'", "1 +", "[1", "dict(a)", "0x10"] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn depth_is_bounded_and_not_followed_by_the_stack() {
        let deep = format!("{}1{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        assert_eq!(literal(&deep), None);
        assert!(literal(&format!("{}1{}", "[".repeat(60), "]".repeat(60))).is_some());
    }

    #[test]
    fn assignments_at_the_first_column_count_and_later_ones_win() {
        let parsed = module(
            "\"\"\"\nweight_decay = 7\n\"\"\"\nimport os\nweight_decay = 1e-2 # first\nif x:\n    \
             weight_decay = 9\nlr: float = 3e-4\nbatch = 4 * gpus\nweight_decay = 1e-1\n\
             optimizer = dict(\n    type='AdamW',  # the usual\n    betas=(0.9, 0.95),\n)\na == 1\n",
        );
        assert_eq!(parsed.value.get("weight_decay"), Some(&Value::Number(0.1)));
        assert_eq!(parsed.value.get("lr"), Some(&Value::Number(3e-4)));
        assert_eq!(parsed.value.at("optimizer.type"), Some(&Value::Text("AdamW".to_owned())));
        assert_eq!(parsed.unread, ["batch"]);
        assert_eq!(parsed.value.get("a"), None);
    }
}
