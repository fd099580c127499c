//! Who is let in, and what hostile requests do: a real server on loopback, and raw bytes.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use wd_serve::{Bind, Options, Server, Stop};

/// A server that runs until it is dropped.
struct Running {
    port: u16,
    token: String,
    stop: Stop,
    thread: Option<std::thread::JoinHandle<()>>,
    folder: tempfile::TempDir,
}

impl Running {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let run = folder.path().join("runs/one");
        fs::create_dir_all(&run).expect("a folder");
        fs::write(run.join("config.toml"), "[optim]\nlr = 1e-3\n").expect("a file");
        fs::write(run.join("plan.json"), "{}").expect("a file");
        fs::write(folder.path().join("secret.txt"), SECRET).expect("a file");
        // A run whose log and configuration lead out of the folder that is served.
        let linked = folder.path().join("runs/linked");
        fs::create_dir(&linked).expect("a folder");
        fs::write(linked.join("plan.json"), "{}").expect("a file");
        for file in ["config.toml", "log.txt"] {
            let link = linked.join(file);
            std::os::unix::fs::symlink(folder.path().join("secret.txt"), link).expect("a link");
        }
        let options = Options {
            paths: vec![folder.path().join("runs")],
            bind: Bind::Network { host: "127.0.0.1".to_owned(), port: 0 },
            ..Options::default()
        };
        let server = Server::start(options).expect("a server");
        let address = server.address();
        let (place, token) = address.split_once("/?token=").expect("a token");
        let port = place.rsplit_once(':').expect("a port").1.parse().expect("a number");
        let stop = server.stop();
        let token = token.to_owned();
        let thread = std::thread::spawn(move || server.run().expect("a clean end"));
        Running { port, token, stop, thread: Some(thread), folder }
    }

    /// Sends a whole request, and gives everything that comes back.
    fn raw(&self, bytes: &[u8]) -> String {
        self.sent(bytes, false)
    }

    /// Sends bytes, and perhaps says that no more will come.
    fn sent(&self, bytes: &[u8], is_all: bool) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
        // A server that refuses early closes while we still write.
        let _refused = stream.write_all(bytes);
        if is_all {
            let _closed = stream.shutdown(Shutdown::Write);
        }
        let mut answer = Vec::new();
        let _reset = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn get(&self, path: &str, headers: &str) -> String {
        let host = format!("Host: 127.0.0.1:{}", self.port);
        self.raw(
            format!("GET {path} HTTP/1.1\r\n{host}\r\nConnection: close\r\n{headers}\r\n")
                .as_bytes(),
        )
    }

    /// A request of somebody who was let in.
    fn known(&self, path: &str) -> String {
        self.get(path, &format!("Authorization: Bearer {}\r\n", self.token))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.now();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the server ended badly");
        }
    }
}

const SECRET: &str = "nobody may read this sentence";

fn server() -> &'static Running {
    static SERVER: OnceLock<Running> = OnceLock::new();
    SERVER.get_or_init(Running::start)
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("nothing")
}

fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next()?;
    head.lines().find_map(|line| {
        let (known, value) = line.split_once(':')?;
        known.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

#[test]
fn nobody_is_let_in_without_the_token() {
    let server = server();
    for path in ["/", "/explore", "/linear", "/live", "/s/runs-000000", "/nowhere", "/assets/a/b"] {
        let answer = server.get(path, "");
        assert_eq!(status(&answer), "401", "{path}");
        assert!(!answer.contains("runs"), "{answer}");
    }
    assert_eq!(status(&server.get("/?token=0000000000000000", "")), "401");
    assert_eq!(status(&server.get("/", "Cookie: wd-1=abc\r\n")), "401");
    assert_eq!(status(&server.get("/", "Authorization: Bearer \r\n")), "401");
    assert_eq!(status(&server.known("/")), "200");
}

#[test]
fn the_token_becomes_a_cookie_that_no_script_and_no_other_site_gets() {
    let server = server();
    let answer = server.get(&format!("/explore?lr=1&token={}", server.token), "");
    assert_eq!(status(&answer), "200");
    // Onward without the token.
    assert!(answer.contains("0;url=/explore?lr=1\""), "{answer}");
    let cookie = header(&answer, "set-cookie").expect("a cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    assert!(!cookie.contains(&server.token), "the cookie is not the token");
    let (pair, _) = cookie.split_once(';').expect("attributes");
    assert_eq!(status(&server.get("/", &format!("Cookie: a=b; {pair}\r\n"))), "200");
    let (name, value) = pair.split_once('=').expect("a value");
    let turned: String = value.chars().rev().collect();
    assert_eq!(status(&server.get("/", &format!("Cookie: {name}={turned}\r\n"))), "401");
}

#[test]
fn other_names_and_other_sites_are_refused() {
    let server = server();
    let bearer = format!("Authorization: Bearer {}\r\n", server.token);
    let ask = |host: &str| {
        server.raw(format!("GET / HTTP/1.1\r\n{host}{bearer}Connection: close\r\n\r\n").as_bytes())
    };
    // A name that leads here by another's doing.
    for host in ["Host: evil.example\r\n", "Host: 127.0.0.1.evil.example:7373\r\n", ""] {
        let answer = ask(host);
        assert!(["421", "400"].contains(&status(&answer)), "{host}: {answer}");
    }
    let twice = format!("Host: 127.0.0.1:{}\r\nHost: evil.example\r\n", server.port);
    assert_ne!(status(&ask(&twice)), "200");
    for host in ["localhost", "localhost:9999", "127.0.0.1", "[::1]:80"] {
        assert_eq!(status(&ask(&format!("Host: {host}\r\n"))), "200", "{host}");
    }
    let origin = |origin: &str| server.get("/", &format!("{bearer}Origin: {origin}\r\n"));
    assert_eq!(status(&origin("http://evil.example")), "403");
    assert_eq!(status(&origin("null")), "403");
    assert_eq!(status(&origin(&format!("http://127.0.0.1:{}", server.port))), "200");
}

#[test]
fn nothing_but_reading_is_answered() {
    let server = server();
    let bearer = format!("Authorization: Bearer {}\r\n", server.token);
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "PROPFIND"] {
        let answer = server.raw(
            format!(
                "{method} / HTTP/1.1\r\nHost: localhost\r\n{bearer}Connection: close\r\n\
                 Content-Length: 2\r\n\r\nhi"
            )
            .as_bytes(),
        );
        assert!(["405", "400", "421"].contains(&status(&answer)), "{method}: {answer}");
    }
    let head = server.raw(
        format!("HEAD / HTTP/1.1\r\nHost: localhost\r\n{bearer}Connection: close\r\n\r\n")
            .as_bytes(),
    );
    assert_eq!(status(&head), "200");
    assert!(head.ends_with("\r\n\r\n"), "a head has no body");
}

#[test]
fn every_answer_has_the_headers_that_keep_browsers_careful() {
    let server = server();
    for answer in [server.known("/"), server.known("/nowhere"), server.get("/", "")] {
        let policy = header(&answer, "content-security-policy").expect("a policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(header(&answer, "x-content-type-options"), Some("nosniff"));
        assert_eq!(header(&answer, "referrer-policy"), Some("no-referrer"));
        assert_eq!(header(&answer, "cache-control"), Some("no-store"));
        assert_eq!(header(&answer, "access-control-allow-origin"), None);
    }
    let page = server.known("/explore");
    assert!(!page.contains(" style=") && !page.contains("onclick"), "nothing inline");
    let script = page.split("src=\"").nth(1).and_then(|rest| rest.split('"').next());
    let script = server.known(script.expect("a script"));
    assert_eq!(status(&script), "200");
    assert!(header(&script, "cache-control").expect("a time").contains("immutable"));
}

#[test]
fn no_name_becomes_a_path_and_no_link_leads_out() {
    let server = server();
    let list = server.known("/");
    let study = list.split("href=\"/s/").nth(1).and_then(|rest| rest.split('"').next());
    let study = format!("/s/{}", study.expect("a study"));
    assert_eq!(status(&server.known(&study)), "200");
    let secret = server.folder.path().join("secret.txt");
    let names = [
        "../secret.txt",
        "..%2Fsecret.txt",
        "%2e%2e/secret.txt",
        "....//secret.txt",
        "one/../../secret.txt",
        "%00",
        "one%00",
        "C:%5C",
        "%c0%ae%c0%ae/",
    ];
    for name in names {
        for path in [
            format!("{study}/run/{name}"),
            format!("{study}/figure/{name}.svg"),
            format!("/s/{name}"),
            format!("/assets/{name}"),
            format!("/{name}"),
            format!("{study}/run/{name}/series?name=x"),
        ] {
            let answer = server.known(&path);
            assert!(["404", "400"].contains(&status(&answer)), "{path}: {}", status(&answer));
            assert!(!answer.contains(SECRET));
        }
    }
    assert_eq!(status(&server.known(&secret.display().to_string())), "404");
    // The linked run is named, and nothing behind its links is shown.
    for path in [format!("{study}/run/linked"), study.clone(), format!("{study}/runs")] {
        let answer = server.known(&path);
        assert!(!answer.contains(SECRET), "{path}");
    }
    assert!(server.known(&study).contains("leads out of the folders"));
}

#[test]
fn long_and_broken_requests_end_in_an_answer_or_in_silence() {
    let server = server();
    let bearer = format!("Host: localhost\r\nAuthorization: Bearer {}\r\n", server.token);
    let long = "a".repeat(10_000);
    assert_eq!(status(&server.known(&format!("/?x={long}"))), "414");
    let longer = "a".repeat(100_000);
    let bearer = format!("{bearer}Connection: close\r\n");
    let answer = server.raw(format!("GET /?{longer} HTTP/1.1\r\n{bearer}\r\n").as_bytes());
    assert!(!answer.contains("200 OK"), "{answer}");
    let many: String = (0..5000).map(|number| format!("X-{number}: 1\r\n")).collect();
    let answer = server.raw(format!("GET / HTTP/1.1\r\n{bearer}{many}\r\n").as_bytes());
    assert!(!answer.contains("200 OK"));
    for broken in [
        "GET",
        "GET /",
        "\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\0\0\0\0",
        "GET / HTTP/1.1\r\nHost",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET http://evil.example/ HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    ] {
        let answer = server.sent(broken.as_bytes(), true);
        assert!(!answer.contains("200 OK"), "{broken}");
    }
    assert_eq!(status(&server.known("/")), "200", "it still answers");
}

#[test]
fn ten_thousand_made_up_addresses_stop_nothing() {
    let server = server();
    let mut state: u64 = 7;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let pieces = [
        "/",
        "s",
        "explore",
        "linear",
        "runs",
        "live",
        "figure",
        "%2e",
        "%",
        "?",
        "&",
        "=",
        "λ",
        "lambda",
        "weight_decay",
        "1e999",
        "-1",
        "nan",
        "where:",
        "series",
        "..",
        "#",
        ";",
        "%ff",
        "token",
        "have",
        "\"",
        "<",
        "'",
        "sort",
        "torch.AdamW",
        "library",
        "steps",
        "schedule",
    ];
    let count: usize =
        std::env::var("WD_ADDRESSES").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let mut stream = None;
    let bearer = format!("Host: localhost\r\nAuthorization: Bearer {}\r\n", server.token);
    for _ in 0..count {
        let path: String = (0..1 + next() % 9).map(|_| pieces[next() % pieces.len()]).collect();
        let request = format!("HEAD /{path} HTTP/1.1\r\n{bearer}\r\n");
        let open = stream.take().unwrap_or_else(|| {
            let stream = TcpStream::connect(("127.0.0.1", server.port)).expect("a connection");
            stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
            stream
        });
        stream = exchange(open, &request);
    }
    assert_eq!(status(&server.known("/")), "200");
}

/// One request on a connection that stays open; nothing where it was closed.
fn exchange(mut stream: TcpStream, request: &str) -> Option<TcpStream> {
    stream.write_all(request.as_bytes()).ok()?;
    let mut head = Vec::new();
    let mut byte = [0; 1];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return None,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    assert_ne!(status(&head), "500", "{request}");
    (!head.to_ascii_lowercase().contains("connection: close") && status(&head) != "400")
        .then_some(stream)
}

#[test]
fn half_requests_and_slow_readers_hold_nobody_up() {
    let server = server();
    let half: Vec<TcpStream> = (0..200)
        .map(|_| {
            let mut stream = TcpStream::connect(("127.0.0.1", server.port)).expect("a connection");
            stream.write_all(b"GET / HTTP/1.1\r\nHost: localh").expect("half a request");
            stream
        })
        .collect();
    let slow: Vec<TcpStream> = (0..50)
        .map(|_| {
            let mut stream = TcpStream::connect(("127.0.0.1", server.port)).expect("a connection");
            let bearer = format!("Authorization: Bearer {}\r\n", server.token);
            for _ in 0..5 {
                let request = format!("GET /explore HTTP/1.1\r\nHost: localhost\r\n{bearer}\r\n");
                stream.write_all(request.as_bytes()).expect("a request that is never read");
            }
            stream
        })
        .collect();
    let begun = Instant::now();
    assert_eq!(status(&server.known("/")), "200");
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    drop((half, slow));
}

#[test]
fn a_socket_is_its_owners_alone_and_goes_away() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("wd.sock");
    let options = || Options {
        paths: vec![folder.path().to_owned()],
        bind: Bind::Socket(path.clone()),
        token: Some("0123456789abcdef".to_owned()),
        ..Options::default()
    };
    let server = Server::start(options()).expect("a server");
    let mode = fs::metadata(&path).expect("a socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let stop = server.stop();
    let thread = std::thread::spawn(move || server.run());
    let ask = || {
        let mut stream = std::os::unix::net::UnixStream::connect(&path).expect("a connection");
        let request = "GET / HTTP/1.1\r\nHost: localhost:7373\r\nConnection: close\r\n\
                       Authorization: Bearer 0123456789abcdef\r\n\r\n";
        stream.write_all(request.as_bytes()).expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    };
    assert_eq!(status(&ask()), "200");
    assert!(Server::start(options()).is_err(), "another server has this socket");
    stop.now();
    thread.join().expect("a thread").expect("a clean end");
    assert!(!path.exists());
    // What a killed server left behind is no hindrance.
    drop(std::os::unix::net::UnixListener::bind(&path).expect("a socket"));
    assert!(Server::start(options()).is_ok());
}

#[test]
fn what_cannot_be_served_is_said_before_it_is_tried() {
    let folder = tempfile::tempdir().expect("a folder");
    let start = |options: Options| Server::start(options).err().expect("an error").to_string();
    let named = |path: &Path| Options {
        paths: vec![path.to_owned()],
        bind: Bind::Network { host: "127.0.0.1".to_owned(), port: 0 },
        ..Options::default()
    };
    assert!(start(named(&folder.path().join("nowhere"))).contains("name a folder"));
    let short = Options { token: Some("abc".to_owned()), ..named(folder.path()) };
    assert!(start(short).contains("16 characters"));
    let taken = Options {
        bind: Bind::Network { host: "127.0.0.1".to_owned(), port: server().port },
        ..named(folder.path())
    };
    assert!(start(taken).contains("--port"));
    let table = folder.path().join("table.csv");
    fs::write(&table, "a,b\n1,2\n").expect("a file");
    let table = Options { tables: vec![(table, "c".to_owned())], ..named(folder.path()) };
    assert!(start(table).contains("table.csv"));
}
