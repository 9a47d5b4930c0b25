// An FTP server of ftp-srv. Argument: the settings, a file of JSON.
const fs = require('fs');
const ftpsrv = require(`${process.env.FTP_SRV}/node_modules/ftp-srv`);

// It asks for its own files again when commands come, and the login's user may not look for
// them: what is loaded is found without a look.
const Module = require('module');
const path = require('path');
const load = (dir) => fs.readdirSync(dir, {withFileTypes: true}).forEach((e) =>
  e.isDirectory() ? load(`${dir}/${e.name}`) : e.name.endsWith('.js') && require(`${dir}/${e.name}`));
load(`${process.env.FTP_SRV}/node_modules/ftp-srv/src`);
const resolve = Module._resolveFilename;
Module._resolveFilename = (request, parent, ...more) => {
  const at = parent && request.startsWith('.') ? path.resolve(path.dirname(parent.filename), request) : request;
  return [at, `${at}.js`, `${at}/index.js`].find((name) => require.cache[name]) || resolve(request, parent, ...more);
};

const s = JSON.parse(fs.readFileSync(process.argv[2]));
const log = {};
for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal']) {
  log[level] = (...args) => console.log(level, ...args.map((a) => (a instanceof Error ? a.message : typeof a === 'string' ? a : '')));
}
log.child = () => log;
const server = new ftpsrv.FtpSrv({
  log,
  url: `ftp://${s.host}:${s.port}`,
  pasv_url: s.host,
  pasv_min: s.passive_lo,
  pasv_max: s.passive_hi,
});
server.on('login', ({username, password}, resolve, reject) =>
  username === s.user && password === s.password ? resolve({root: s.root}) : reject(new Error('no')));
server.listen().then(() => {
  process.setgroups([]);
  process.setgid(s.gid);
  process.setuid(s.uid);
  process.umask(0o022);
});
