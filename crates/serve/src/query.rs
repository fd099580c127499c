//! What stands behind the `?` of an address.

/// The names and values of a query, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query(Vec<(String, String)>);

/// More pairs than any page here makes.
const MOST_PAIRS: usize = 64;
/// Longer than any value here: the list of the parts that a visitor has.
const LONGEST: usize = 4000;

impl Query {
    /// Reads a query; pairs beyond what a page makes are left out.
    pub(crate) fn read(text: &str) -> Self {
        let pairs = form_urlencoded::parse(text.as_bytes())
            .filter(|(name, value)| name.len() <= LONGEST && value.len() <= LONGEST)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .filter(|(_, value)| !value.is_empty());
        Query(pairs.take(MOST_PAIRS).collect())
    }

    /// The first value of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Every value of a name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A number.
    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        self.get(name)?.trim().parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// Names and values.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Only the names that `keep` wants.
    pub(crate) fn only(&self, keep: impl Fn(&str) -> bool) -> Self {
        Query(self.0.iter().filter(|(name, _)| keep(name)).cloned().collect())
    }

    /// The same with one more pair.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// As it stands in an address, with the `?`; nothing where it is empty.
    pub(crate) fn text(&self) -> String {
        if self.0.is_empty() {
            return String::new();
        }
        let mut out = form_urlencoded::Serializer::for_suffix("?".to_owned(), 1);
        for (name, value) in &self.0 {
            out.append_pair(name, value);
        }
        out.finish()
    }
}

/// One part of a path, as it stands in an address.
pub(crate) fn segment(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' | b'=' | b',' => {
                out.push(char::from(byte));
            }
            // A dot that stands alone would be a way up.
            b'.' if name.len() > 2 => out.push('.'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_reads_back() {
        let query = Query::read("where=optim.lr%3D3e-3&where=a%26b&baseline=&x=%CE%BB");
        assert_eq!(query.all("where").collect::<Vec<_>>(), ["optim.lr=3e-3", "a&b"]);
        assert_eq!(query.get("baseline"), None);
        assert_eq!(Query::read(&query.text()[1..]), query);
    }

    #[test]
    fn a_name_stays_one_part_of_a_path() {
        assert_eq!(segment("lambda=0.1,seed=0"), "lambda=0.1,seed=0");
        assert_eq!(segment(".."), "%2E%2E");
        assert_eq!(segment("a/b?c"), "a%2Fb%3Fc");
    }
}
