<?php
// SPDX-License-Identifier: BSD-3-Clause
// phpredis: sessions kept by the server, with locks, and the calls that PHP applications make most.

$port = (int)$argv[$argc - 1];
$redis = new Redis();
$redis->connect('127.0.0.1', $port);

function check(bool $condition, string $text = 'check failed'): void {
    if (!$condition) throw new Exception($text);
}

// A request of its own: a session is opened, changed and written.
function visit(?string $id, callable $change): string {
    if ($id !== null) session_id($id);
    session_start(['use_cookies' => 0, 'cache_limiter' => '']);
    $change();
    $id = session_id();
    session_write_close();
    session_id('');
    $_SESSION = [];
    return $id;
}

$checks = [
    'values' => function () use ($redis) {
        check($redis->set('k', 'v', ['nx', 'ex' => 100]) === true && $redis->get('k') === 'v');
        check($redis->set('k', 'w', ['nx']) === false && $redis->ttl('k') > 90);
        check($redis->mset(['a' => '1', 'b' => '2']) && $redis->mget(['a', 'b', 'c']) === ['1', '2', false]);
        check($redis->incrBy('n', 5) === 5 && $redis->hMSet('h', ['x' => 1, 'y' => 2]) && $redis->hGetAll('h') === ['x' => '1', 'y' => '2']);
        check($redis->zAdd('z', 1.5, 'one', 2.5, 'two') === 2 && $redis->zRange('z', 0, -1, true) === ['one' => 1.5, 'two' => 2.5]);
    },
    'transactions and pipelines' => function () use ($redis) {
        check($redis->multi()->set('t', '1')->incr('t')->get('t')->exec() === [true, 2, '2']);
        $pipe = $redis->pipeline();
        for ($n = 0; $n < 500; ++$n) $pipe->set("p:$n", (string)$n);
        check($pipe->exec() === array_fill(0, 500, true));
    },
    'scripts' => function () use ($redis) {
        check($redis->eval("return {KEYS[1], ARGV[1], 3}", ['key', 'word'], 1) === ['key', 'word', 3]);
        $sha = $redis->script('load', "return redis.call('GET', KEYS[1])");
        check($redis->evalSha($sha, ['p:7'], 1) === '7');
    },
    'serialised values' => function () use ($port) {
        $other = new Redis();
        $other->connect('127.0.0.1', $port);
        $other->setOption(Redis::OPT_SERIALIZER, Redis::SERIALIZER_PHP);
        $other->setOption(Redis::OPT_PREFIX, 'app:');
        check($other->set('object', ['list' => [1, 2], 'text' => 'x']) && $other->get('object') === ['list' => [1, 2], 'text' => 'x']);
        check($other->exists('object') === 1);
    },
    'sessions live from request to request' => function () use ($redis) {
        $id = visit(null, function () { $_SESSION['visits'] = 1; });
        visit($id, function () { $_SESSION['visits'] += 1; });
        visit($id, function () { check($_SESSION['visits'] === 2); });
        check($redis->exists("app_session:$id") === 1 && $redis->ttl("app_session:$id") > 1000);
        check($redis->exists("app_session:{$id}_LOCK") === 0);
    },
    'a session is destroyed' => function () use ($redis) {
        $id = visit(null, function () { $_SESSION['user'] = 'u'; });
        session_id($id);
        session_start(['use_cookies' => 0, 'cache_limiter' => '']);
        session_destroy();
        check($redis->exists("app_session:$id") === 0);
    },
];

ini_set('session.save_handler', 'redis');
ini_set('session.save_path', "tcp://127.0.0.1:$port?prefix=app_session:");
ini_set('redis.session.locking_enabled', '1');
$passed = $failed = 0;
ob_start();
foreach ($checks as $name => $body) {
    try {
        $body();
        ++$passed;
    } catch (Throwable $error) {
        ++$failed;
        echo "FAILED $name: {$error->getMessage()}\n{$error->getTraceAsString()}\n";
    }
}
echo "$passed passed, $failed failed\n";
ob_end_flush();
exit($failed === 0 ? 0 : 1);
