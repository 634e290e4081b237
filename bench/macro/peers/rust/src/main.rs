//! The Rust peer: hyper on one tokio thread with rustls, against the scenario's server, measured by itself.
//!
//! It prints one JSON line in the schema that bench/macro/run.py documents.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, SizeHint};
use hyper::client::conn::http2::{self, SendRequest};
use hyper::{Method, Request, Uri, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::{pem::PemObject, CertificateDer, ServerName};
use tokio::net::TcpStream;

type Failure = Box<dyn std::error::Error + Send + Sync>;

const CHUNK: &[u8] = &[0; 64 * 1024];

/// A request's content: `left` bytes from static memory, of a length that is not announced.
struct Pattern {
    left: u64,
}

impl Body for Pattern {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let size = self.left.min(CHUNK.len() as u64);
        self.left -= size;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&CHUNK[..size as usize])))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// `--name value` pairs with their defaults.
struct Options(HashMap<String, String>);

impl Options {
    fn parse() -> Self {
        let words: Vec<String> = std::env::args().skip(1).collect();
        Options(
            words
                .chunks(2)
                .map(|pair| (pair[0].trim_start_matches('-').into(), pair[1].clone()))
                .collect(),
        )
    }

    fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    fn number(&self, name: &str, default: f64) -> f64 {
        self.0.get(name).map_or(default, |text| text.parse().expect("a number"))
    }
}

/// What one measured phase saw.
#[derive(Default)]
struct Tally {
    latencies_ns: Vec<u64>,
    errors: u64,
    bytes: u64,
}

impl Tally {
    fn add(&mut self, outcome: Result<u64, Failure>, latency: Duration) {
        match outcome {
            Ok(read) => {
                self.bytes += read;
                self.latencies_ns.push(latency.as_nanos() as u64);
            }
            Err(error) => {
                if self.errors == 0 {
                    eprintln!("{error}");
                }
                self.errors += 1;
            }
        }
    }
}

fn tls_config(ca: &str) -> Result<Arc<rustls::ClientConfig>, Failure> {
    let mut roots = rustls::RootCertStore::empty();
    if !ca.is_empty() {
        for certificate in CertificateDer::pem_file_iter(ca)? {
            roots.add(certificate?)?;
        }
    }
    let mut config = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config))
}

/// Opens one connection and leaves its driver running.
async fn connect(uri: &Uri, tls: &Arc<rustls::ClientConfig>) -> Result<SendRequest<Pattern>, Failure> {
    let host = uri.host().ok_or("no host")?.to_owned();
    let port = uri.port_u16().ok_or("no port")?;
    let stream = TcpStream::connect((host.as_str(), port)).await?;
    stream.set_nodelay(true)?;
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.initial_max_send_streams(20_000);
    if uri.scheme_str() == Some("https") {
        let connector = tokio_rustls::TlsConnector::from(tls.clone());
        let stream = connector.connect(ServerName::try_from(host)?, stream).await?;
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    } else {
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }
}

/// One request; its content's length, or an error for anything but a whole 200.
async fn exchange(
    sender: &mut SendRequest<Pattern>,
    method: Method,
    uri: &Uri,
    upload: u64,
    want: u64,
) -> Result<u64, Failure> {
    let mut request = Request::new(Pattern { left: upload });
    *request.method_mut() = method;
    *request.uri_mut() = uri.clone();
    *request.version_mut() = Version::HTTP_2;
    sender.ready().await?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let mut content = response.into_body();
    let mut read = 0;
    while let Some(frame) = content.frame().await {
        if let Ok(data) = frame?.into_data() {
            read += data.len() as u64;
        }
    }
    if status != 200 || (want > 0 && read != want) {
        return Err(format!("status {status}, {read} bytes").into());
    }
    Ok(read)
}

/// Keeps `concurrency` tasks in a loop of GETs until the time is over.
async fn get(senders: &[SendRequest<Pattern>], uri: &Uri, concurrency: usize, lasting: Duration, want: u64) -> Tally {
    let end = Instant::now() + lasting;
    let tasks: Vec<_> = (0..concurrency)
        .map(|i| {
            let mut sender = senders[i % senders.len()].clone();
            let uri = uri.clone();
            tokio::spawn(async move {
                let mut tally = Tally::default();
                let mut start = Instant::now();
                while start < end {
                    let outcome = exchange(&mut sender, Method::GET, &uri, 0, want).await;
                    let now = Instant::now();
                    tally.add(outcome, now - start);
                    start = now;
                }
                tally
            })
        })
        .collect();
    let mut total = Tally::default();
    for task in tasks {
        let tally = task.await.expect("the task ends");
        total.latencies_ns.extend(tally.latencies_ns);
        total.errors += tally.errors;
        total.bytes += tally.bytes;
    }
    total
}

/// Asks one URI after the other, each on its own connection, 10 ms apart.
async fn idle(senders: &mut [SendRequest<Pattern>], uris: &[Uri], lasting: Duration, want: u64) -> Tally {
    let end = Instant::now() + lasting;
    let mut tally = Tally::default();
    for i in (0..uris.len()).cycle() {
        let start = Instant::now();
        if start >= end {
            break;
        }
        let outcome = exchange(&mut senders[i], Method::GET, &uris[i], 0, want).await;
        tally.add(outcome, start.elapsed());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tally
}

fn cpu_seconds() -> f64 {
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

/// VmHWM: ru_maxrss would also remember the process that started this one.
fn peak_rss_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}

async fn run(options: Options) -> Result<(), Failure> {
    let mode = options.text("mode");
    let uris = options
        .text("url")
        .split(',')
        .map(str::parse)
        .collect::<Result<Vec<Uri>, _>>()?;
    let uri = &uris[0];
    let tls = tls_config(options.text("ca"))?;
    let concurrency = options.number("concurrency", 1.0) as usize;
    let lasting = Duration::from_secs_f64(options.number("seconds", 2.0));
    let size = options.number("size", 0.0) as u64;

    let mut senders = Vec::new();
    for _ in 0..options.number("connections", 1.0) as usize {
        for uri in &uris {
            let mut sender = connect(uri, &tls).await?;
            exchange(&mut sender, Method::HEAD, uri, 0, 0).await?;
            senders.push(sender);
        }
    }
    if mode == "get" {
        let warmup = Duration::from_secs_f64(options.number("warmup", 0.5));
        get(&senders, uri, concurrency, warmup, size).await;
    }

    let (cpu, start) = (cpu_seconds(), Instant::now());
    let mut tally = match mode {
        "get" => get(&senders, uri, concurrency, lasting, size).await,
        "idle" => idle(&mut senders, &uris, lasting, size).await,
        _ => {
            let mut tally = Tally::default();
            for _ in 0..options.number("repeat", 1.0) as usize {
                let begun = Instant::now();
                let outcome = if mode == "upload" {
                    exchange(&mut senders[0], Method::POST, uri, size, 0)
                        .await
                        .map(|_| size)
                } else {
                    exchange(&mut senders[0], Method::GET, uri, 0, size).await
                };
                tally.add(outcome, begun.elapsed());
            }
            tally
        }
    };
    let (seconds, used) = (start.elapsed().as_secs_f64(), cpu_seconds() - cpu);

    let requests = tally.latencies_ns.len();
    tally.latencies_ns.sort_unstable();
    let quantile = |q: usize| match tally.latencies_ns.get(requests * q / 100) {
        Some(ns) if mode == "get" || mode == "idle" => format!("{}", *ns as f64 / 1e3),
        _ => "null".into(),
    };
    println!(
        concat!(
            r#"{{"client":"rust-hyper","version":"1","scenario":"{}","requests":{},"errors":{},"seconds":{},"rps":{},"#,
            r#""p50_us":{},"p99_us":{},"cpu_us_per_request":{},"peak_rss_kib":{},"bytes":{},"mb_per_s":{},"cpu_s":{}}}"#
        ),
        options.text("scenario"),
        requests,
        tally.errors,
        seconds,
        requests as f64 / seconds,
        quantile(50),
        quantile(99),
        used * 1e6 / requests.max(1) as f64,
        peak_rss_kib(),
        tally.bytes,
        tally.bytes as f64 / 1e6 / seconds,
        used,
    );
    Ok(())
}

fn main() -> Result<(), Failure> {
    rustls::crypto::ring::default_provider()
        .install_default()
        .expect("installed once");
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(run(Options::parse()))
}
