// IndexedDB in promises: what waits to be sent, and what the server has confirmed.

const NAME = "mad-web";
const OUTBOX = "outbox";
const RECEIPTS = "receipts";
const KEEP_RECEIPTS = 400;

function wait(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function done(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () => reject(transaction.error ?? new Error("storage refused"));
  });
}

export async function openStore() {
  const opening = indexedDB.open(NAME, 1);
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore(OUTBOX, { keyPath: "seq", autoIncrement: true });
    opening.result.createObjectStore(RECEIPTS, { keyPath: "key" });
  };
  const db = await wait(opening);
  db.onversionchange = () => db.close();

  function write(stores, durability = "strict") {
    return db.transaction(stores, "readwrite", { durability });
  }

  return {
    /** Put an entry at the end. When the promise is kept it outlives the browser; after a flush a power cut too. */
    async add(entry) {
      const transaction = write([OUTBOX], "relaxed");
      const seq = await wait(transaction.objectStore(OUTBOX).add(entry));
      await done(transaction);
      return { ...entry, seq };
    },
    /** Bring to the disk what was written before: the log of the storage is flushed as a whole. */
    async flush() {
      const transaction = write([RECEIPTS]);
      transaction.objectStore(RECEIPTS).put({ key: "flushed", at: Date.now() });
      await done(transaction);
    },
    async put(entry) {
      const transaction = write([OUTBOX]);
      transaction.objectStore(OUTBOX).put(entry);
      await done(transaction);
    },
    async entries() {
      return wait(db.transaction([OUTBOX]).objectStore(OUTBOX).getAll());
    },
    async remove(seq) {
      const transaction = write([OUTBOX]);
      transaction.objectStore(OUTBOX).delete(seq);
      await done(transaction);
    },
    async receipt(key) {
      return wait(db.transaction([RECEIPTS]).objectStore(RECEIPTS).get(key));
    },
    /** Take an entry out against its receipt, both or neither. */
    async settle(entry, receipt) {
      const transaction = write([OUTBOX, RECEIPTS]);
      const receipts = transaction.objectStore(RECEIPTS);
      receipts.put({ ...receipt, key: entry.key, at: Date.now() });
      transaction.objectStore(OUTBOX).delete(entry.seq);
      await done(transaction);
    },
    /** Forget all but the newest receipts. */
    async prune() {
      const transaction = write([RECEIPTS]);
      const receipts = transaction.objectStore(RECEIPTS);
      const all = await wait(receipts.getAll());
      const old = all.sort((a, b) => b.at - a.at).slice(KEEP_RECEIPTS);
      for (const receipt of old) receipts.delete(receipt.key);
      await done(transaction);
    },
  };
}
