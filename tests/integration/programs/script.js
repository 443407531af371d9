// SPDX-FileCopyrightText: 2026 The vadtrace authors
// SPDX-License-Identifier: MIT

// Hot code for the JIT, buffers outside the JavaScript heap, worker threads, compression, children.

const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const crypto = require('crypto');
const zlib = require('zlib');
const { execFileSync } = require('child_process');

function sieve(limit) {
	const composite = new Uint8Array(limit + 1);
	let count = 0;
	for (let i = 2; i <= limit; i++) {
		if (composite[i])
			continue;
		count++;
		for (let j = i * i; j <= limit; j += i)
			composite[j] = 1;
	}
	return count;
}

function objects(count) {
	const map = new Map();
	for (let i = 0; i < count; i++)
		map.set(`key ${i % 5000}`, { i, list: [i, i + 1], text: 'x'.repeat(i % 50) });
	let sum = 0;
	for (const [key, value] of map)
		sum += key.length + value.list[1] + value.text.length;
	return sum;
}

function work(number) {
	const buffers = [];
	for (let i = 0; i < 200; i++)
		buffers.push(Buffer.alloc(10000 + number, i));
	const hash = crypto.createHash('sha256');
	buffers.forEach((buffer) => hash.update(buffer));
	return { number, primes: sieve(200000 + number), sum: objects(20000), hash: hash.digest('hex') };
}

async function main() {
	const workers = [1, 2, 3, 4].map((number) => new Promise((resolve, reject) => {
		const worker = new Worker(__filename, { workerData: number });
		worker.once('message', resolve);
		worker.once('error', reject);
	}));
	for (const result of await Promise.all(workers))
		console.log(JSON.stringify(result));
	const packed = zlib.gzipSync(Buffer.alloc(1 << 20, 'vadtrace '), { level: 9 });
	console.log(packed.length, zlib.gunzipSync(packed).length);
	console.log(await new Promise((resolve, reject) => crypto.pbkdf2('a', 'b', 1000, 32, 'sha512',
		(error, key) => error ? reject(error) : resolve(key.toString('hex')))));
	console.log(execFileSync('/bin/echo', ['from a child']).toString().trim());
	console.error('to standard error');
}

if (isMainThread)
	main();
else
	parentPort.postMessage(work(workerData));
