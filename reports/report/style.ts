// The report's typography and layout, for screens from a phone to a desk and for paper.

import { fontFamily } from './chart.ts';

export const style = `
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth;scroll-padding-top:64px}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.6 ${fontFamily}}
.page{max-width:1220px;margin:0 auto;padding:0 32px 96px}
h1,h2,h3,p,dl,dd,figure,ul{margin:0;padding:0}
h1{font-size:34px;line-height:1.15;letter-spacing:-.02em;font-weight:680;text-wrap:balance;overflow-wrap:anywhere}
h2{font-size:21px;line-height:1.3;letter-spacing:-.01em;font-weight:650}
h3{font-size:15px;line-height:1.4;font-weight:620}
a{color:var(--accent);text-decoration-thickness:1px;text-underline-offset:3px}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:13px}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:3px}
.skip{position:absolute;left:-999px}.skip:focus{left:16px;top:8px;background:var(--page);padding:8px 12px;z-index:20}

header.top{padding:44px 0 28px}
.kicker{font-size:12px;letter-spacing:.08em;text-transform:uppercase;color:var(--ink-faint);font-weight:600;margin-bottom:12px}
.lede{max-width:68ch;color:var(--ink-soft);font-size:17px;line-height:1.55;margin-top:12px;overflow-wrap:anywhere}
.facts{display:flex;flex-wrap:wrap;gap:14px 36px;margin-top:26px;padding-top:18px;border-top:1px solid var(--rule)}
.facts dt{font-size:12px;color:var(--ink-faint)}
.facts dd{font-weight:560}

.verdict{border-left:4px solid var(--tone);background:var(--wash);border-radius:0 8px 8px 0;padding:24px 28px}
.verdict .label{font-size:12px;font-weight:650;letter-spacing:.06em;text-transform:uppercase;color:var(--tone)}
.verdict h2{font-size:25px;line-height:1.25;margin:4px 0 8px;text-wrap:balance}
.verdict p{max-width:78ch;color:var(--ink-soft)}
.verdict p+p{margin-top:4px}
.tone-good{--tone:var(--good);--wash:var(--good-wash)}
.tone-bad{--tone:var(--bad);--wash:var(--bad-wash)}
.tone-unsure{--tone:var(--unsure);--wash:var(--unsure-wash)}
.tone-plain{--tone:var(--ink-faint);--wash:var(--raised)}
.figures-strip{display:grid;grid-template-columns:repeat(auto-fit,minmax(170px,1fr));gap:1px;background:var(--rule);border:1px solid var(--rule);border-radius:8px;overflow:hidden;margin-top:16px}
.figures-strip div{background:var(--page);padding:16px 20px}
.figures-strip dt{font-size:12.5px;color:var(--ink-soft)}
.figures-strip dd{font-size:25px;font-weight:640;letter-spacing:-.015em;line-height:1.3;font-variant-numeric:tabular-nums}
.figures-strip small{display:block;font-size:12.5px;font-weight:400;color:var(--ink-faint);letter-spacing:0;line-height:1.45}
.callouts{list-style:none;display:grid;gap:8px;margin-top:16px}
.callouts li{border-left:4px solid var(--tone);background:var(--wash);padding:10px 16px;border-radius:0 6px 6px 0;overflow-wrap:anywhere}
.callouts b{color:var(--tone);font-weight:650;margin-right:6px}

nav{position:sticky;top:0;z-index:10;background:var(--page);border-bottom:1px solid var(--rule);margin:0 -32px 32px;padding:0 32px;display:flex;gap:22px;overflow-x:auto;scrollbar-width:none;font-size:13.5px}
nav a{color:var(--ink-soft);text-decoration:none;padding:12px 0;white-space:nowrap}
nav a:hover{color:var(--ink)}

section{margin-top:56px}
section>p{max-width:76ch;color:var(--ink-soft);margin-top:6px}
figure{margin-top:28px;break-inside:avoid}
.figure-head{display:flex;flex-wrap:wrap;align-items:baseline;justify-content:space-between;gap:4px 20px}
figcaption{color:var(--ink-soft);font-size:13.5px;line-height:1.5;max-width:84ch;margin:2px 0 8px}
.chart{width:100%}
.choice{font-size:13px;color:var(--ink-soft);display:inline-flex;gap:8px;align-items:center}
select{font:inherit;color:var(--ink);background:var(--page);border:1px solid var(--rule);border-radius:6px;padding:4px 8px;max-width:240px}
.key{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:12.5px;color:var(--ink-soft);list-style:none;margin:0 0 6px}
.swatch{display:inline-block;width:10px;height:10px;border-radius:2px;background:var(--c);margin-right:7px;flex:none}
.pair{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:0 36px}
.legend{position:sticky;top:46px;z-index:9;background:var(--page);display:flex;flex-wrap:wrap;gap:6px;padding:10px 0;margin-top:14px;border-bottom:1px solid var(--grid)}
.legend button,.copy{font:inherit;font-size:13px;color:var(--ink);background:none;border:1px solid var(--rule);border-radius:99px;padding:3px 12px;cursor:pointer;display:inline-flex;align-items:center}
.legend button[aria-pressed=false]{color:var(--ink-faint);text-decoration:line-through}
.legend button[aria-pressed=false] .swatch{background:none;box-shadow:inset 0 0 0 1.5px var(--ink-faint)}
.legend button:hover,.copy:hover{border-color:var(--ink-faint)}

.table{overflow-x:auto;margin-top:16px;border-top:2px solid var(--ink);border-bottom:1px solid var(--rule)}
table{border-collapse:collapse;width:100%;font-size:13.5px;line-height:1.45;font-variant-numeric:tabular-nums}
caption{caption-side:bottom;text-align:left;color:var(--ink-faint);font-size:12.5px;padding:8px 10px 10px}
caption span{display:inline-block;position:sticky;left:10px;max-width:min(100ch,calc(100vw - 60px));white-space:normal}
th,td{padding:8px 10px;text-align:right;vertical-align:baseline;white-space:nowrap}
thead th{font-weight:560;color:var(--ink-soft);font-size:12.5px;vertical-align:bottom;white-space:normal;min-width:76px;border-bottom:1px solid var(--rule)}
thead th small{display:block;font-weight:400;color:var(--ink-faint);font-size:12px}
tbody th{font-weight:560;text-align:left}
tbody tr+tr>*{border-top:1px solid var(--grid)}
.text,thead th.text{text-align:left}
.wrap{white-space:normal;min-width:320px}.few{white-space:normal;min-width:130px}
td .half{color:var(--ink-faint)}
tr.winner>*{background:var(--good-wash)}
.rank{color:var(--ink-faint);width:1%;min-width:0}
.better{color:var(--good)}.worse{color:var(--bad)}.unsure{color:var(--ink-faint)}
.tags{display:flex;gap:6px;margin-top:3px}
.tag{font-size:11.5px;line-height:1.5;font-weight:600;border-radius:99px;padding:0 8px;color:var(--tone);background:var(--wash);border:1px solid color-mix(in srgb,var(--tone) 35%,transparent)}
.dense th,.dense td{padding:7px 5px}
.strip{display:inline-block;vertical-align:-5px;width:170px;height:20px}
th.pin,td.pin{position:sticky;left:0;background:var(--page);z-index:1}
tr.winner>.pin{background:var(--good-wash)}

details{margin-top:12px;border:1px solid var(--rule);border-radius:8px;padding:0 16px}
details[open]{padding-bottom:14px}
summary{cursor:pointer;padding:10px 0;font-weight:560}
summary .swatch{margin:0 8px 0 4px}summary .unsure{font-weight:400}
details .table{margin-top:4px;border-top:1px solid var(--rule)}
.command{display:flex;gap:12px;align-items:flex-start;justify-content:space-between;background:var(--raised);border:1px solid var(--rule);border-radius:8px;padding:10px 14px;margin-top:14px}
.command code{overflow-wrap:anywhere;padding-top:2px}
.copy{flex:none;background:var(--page)}
pre{background:var(--raised);border:1px solid var(--rule);border-radius:8px;padding:16px 18px;overflow-x:auto;line-height:1.55;margin:14px 0 0;tab-size:2}
.setting{display:grid;grid-template-columns:minmax(120px,180px) minmax(0,1fr);gap:8px 24px;margin-top:16px}
.setting dt{color:var(--ink-faint)}
.setting dd{overflow-wrap:anywhere}
.notes{padding-left:20px;margin-top:12px;max-width:84ch}
.hash{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:12.5px}
footer{margin-top:72px;padding-top:16px;border-top:1px solid var(--rule);color:var(--ink-faint);font-size:13px}

@media (max-width:860px){.pair{grid-template-columns:minmax(0,1fr)}}
@media (max-width:600px){
.page{padding:0 18px 64px}nav{margin:0 -18px 24px;padding:0 18px}
header.top{padding-top:28px}h1{font-size:27px}.lede{font-size:16px}
.verdict{padding:18px 18px}.verdict h2{font-size:21px}
.figures-strip{grid-template-columns:repeat(2,minmax(0,1fr))}.figures-strip div{padding:12px 14px}.figures-strip dd{font-size:20px}
.setting{grid-template-columns:minmax(0,1fr);gap:0}.setting dd{margin-bottom:10px}
section{margin-top:44px}.legend{position:static}
th,td{padding:7px 8px}.strip{width:130px}.tags{flex-direction:column;align-items:flex-start;gap:3px}.wrap{min-width:220px}td.rank,th.rank{padding-right:0}
}
.printing .page{width:690px;padding:0}
@media print{
body{font-size:12px}nav,.legend,.copy,.choice,.skip{display:none}
.page{width:690px;padding:0}header.top{padding-top:0}
section{margin-top:30px}figure,tr,.verdict{break-inside:avoid}h2,h3{break-after:avoid}
.table{overflow:visible}th,td{padding:3px 5px;font-size:10px}.wrap,.few{min-width:0}.strip{width:120px}caption span{position:static}thead th{min-width:0;font-size:10px}
details>*{display:block}pre{white-space:pre-wrap}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
}
`;
